//! The gateway's settings, from the environment and from nothing else.

mod http;
mod read;
mod secret;
mod variables;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

pub use self::http::HttpLimits;
pub use self::read::ConfigError;
use self::read::Reader;
pub use self::secret::Secret;
pub use self::variables::{VARIABLES, Variable, help};
use crate::domain::credentials::{NewPassword, Username};
use crate::domain::run::RunRules;
use crate::storage::{Retention, sqlite_file};

/// Answers to idempotency keys are kept this long.
const IDEMPOTENCY_AGE: Duration = Duration::from_secs(24 * 3600);
/// And as long as those of one user take no more bytes: some 100,000 of them, most answers being short.
const IDEMPOTENCY_BYTES: i64 = 256 << 20;

/// The folder of the journal, beside a database's file.
const JOURNAL_FOLDER: &str = "journal";

/// How log records look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Coloured text on a terminal, JSON elsewhere.
    Auto,
    /// Coloured text.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// Everything that an operator can choose. [`VARIABLES`] says what each is called and means.
#[derive(Clone)]
pub struct Settings {
    /// `HOST`.
    pub host: IpAddr,
    /// `PORT`; 0 picks a free one.
    pub port: u16,
    /// `ADDRESS_FILE`.
    pub address_file: Option<PathBuf>,
    /// `SECRET_KEY`.
    pub secret_key: Secret,
    /// `INTERNAL_AUTH_TOKEN`.
    pub internal_auth_token: Secret,
    /// `EXECUTION_SERVICE_URL`.
    pub execution_service_url: String,
    /// `DATABASE_URL`; it may hold a password.
    pub database_url: Secret,
    /// `JOURNAL_DIR`; beside the file of SQLite when it is not set, and none with PostgreSQL.
    pub journal_folder: Option<PathBuf>,
    /// `ACCESS_TOKEN_EXPIRE_MINUTES`.
    pub access_token_lifetime: Duration,
    /// `REFRESH_TOKEN_EXPIRE_DAYS`.
    pub refresh_token_lifetime: Duration,
    /// `CORS_ORIGINS`.
    pub cors_origins: Vec<String>,
    /// `SUPPORTED_LANGUAGES`, `DEFAULT_TIMEOUT` and `MAX_TIMEOUT`.
    pub rules: RunRules,
    /// What callers can take of the HTTP server.
    pub http: HttpLimits,
    /// `ADMIN_USERNAME`.
    pub admin_username: Option<Username>,
    /// `ADMIN_PASSWORD`.
    pub admin_password: Option<NewPassword>,
    /// `LOG_FORMAT`.
    pub log_format: LogFormat,
    /// `LOG_LEVEL`.
    pub log_level: String,
    /// `METRICS_ADDRESS`.
    pub metrics_address: Option<SocketAddr>,
    /// `EXECUTION_RETENTION_DAYS` and `EXECUTION_RETENTION_COUNT`.
    pub retention: Retention,
}

impl Settings {
    /// From this process's environment.
    ///
    /// # Errors
    /// Every variable that is missing, malformed, or looks like a misspelt one of ours.
    pub fn from_env() -> Result<Self, ConfigError> {
        let misspelt = std::env::vars_os()
            .filter_map(|(name, _)| variables::resembled(name.to_str()?))
            .collect::<Vec<_>>();
        Self::read(
            Reader::new(|name| match std::env::var_os(name) {
                Some(value) => value.into_string().map(Some).map_err(|_| "is not UTF-8".to_owned()),
                None => Ok(None),
            }),
            misspelt,
        )
    }

    /// From any source of named values, with the names of the environment.
    ///
    /// # Errors
    /// Every value that is missing or malformed.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        Self::read(Reader::new(|name| Ok(lookup(name))), Vec::new())
    }

    fn read(
        mut from: Reader<impl Fn(&str) -> Result<Option<String>, String>>,
        misspelt: Vec<String>,
    ) -> Result<Self, ConfigError> {
        for problem in misspelt {
            from.problem(problem);
        }
        let host = from.value("HOST", "127.0.0.1", read::ip_address);
        let port = from.value("PORT", "8000", read::port);
        let address_file = from.optional("ADDRESS_FILE", |text| Ok(PathBuf::from(text)));
        let secret_key = from.required("SECRET_KEY", secret::parse);
        let internal_auth_token = from.required("INTERNAL_AUTH_TOKEN", secret::parse_token);
        let execution_service_url =
            from.value("EXECUTION_SERVICE_URL", "http://127.0.0.1:50051", read::worker_url);
        let database_url =
            from.value("DATABASE_URL", "sqlite:crucible.db", read::database_url).map(Secret::new);
        let journal_folder = from.optional("JOURNAL_DIR", |text| Ok(PathBuf::from(text)));
        let access_token_lifetime =
            from.value("ACCESS_TOKEN_EXPIRE_MINUTES", "30", |text| read::span(text, 60, 1440));
        let refresh_token_lifetime =
            from.value("REFRESH_TOKEN_EXPIRE_DAYS", "30", |text| read::span(text, 86_400, 3650));
        let cors_origins = from.list("CORS_ORIGINS", "", read::origin);
        let languages = from.value("SUPPORTED_LANGUAGES", "*", read::languages);
        let default_timeout = from.value("DEFAULT_TIMEOUT", "30", read::seconds);
        let max_timeout = from.value("MAX_TIMEOUT", "300", read::seconds);
        let http = HttpLimits::read(&mut from);
        let admin_username = from.optional("ADMIN_USERNAME", read::username);
        let admin_password = from.optional("ADMIN_PASSWORD", read::password);
        let log_format = from.value("LOG_FORMAT", "auto", read::log_format);
        let log_level = from.value("LOG_LEVEL", "info", read::log_level);
        let metrics_address = from.optional("METRICS_ADDRESS", read::socket_address);
        let days =
            from.value("EXECUTION_RETENTION_DAYS", "30", |text| read::span(text, 86_400, 3650));
        let count = from.value("EXECUTION_RETENTION_COUNT", "1000", read::count);
        if let (Some(default), Some(max)) = (default_timeout, max_timeout)
            && default > max
        {
            from.problem("DEFAULT_TIMEOUT must not be above MAX_TIMEOUT".to_owned());
        }
        if let (Some(key), Some(token)) = (&secret_key, &internal_auth_token)
            && key.expose() == token.expose()
        {
            from.problem("SECRET_KEY and INTERNAL_AUTH_TOKEN must differ".to_owned());
        }
        let settings = || {
            Some(Self {
                host: host?,
                port: port?,
                address_file,
                secret_key: secret_key?,
                internal_auth_token: internal_auth_token?,
                execution_service_url: execution_service_url?,
                journal_folder: journal_folder.or_else(|| journal_beside(database_url.as_ref()?)),
                database_url: database_url?,
                access_token_lifetime: access_token_lifetime?,
                refresh_token_lifetime: refresh_token_lifetime?,
                cors_origins: cors_origins?,
                rules: RunRules {
                    default_timeout: default_timeout?,
                    max_timeout: max_timeout?,
                    languages: languages?,
                },
                http: http?,
                admin_username,
                admin_password,
                log_format: log_format?,
                log_level: log_level?,
                metrics_address,
                retention: Retention {
                    age: days?,
                    executions_per_user: count?,
                    idempotency: IDEMPOTENCY_AGE,
                    answer_bytes_per_user: IDEMPOTENCY_BYTES,
                },
            })
        };
        from.finish(settings())
    }
}

fn journal_beside(database_url: &Secret) -> Option<PathBuf> {
    Some(sqlite_file(database_url.expose())?.with_file_name(JOURNAL_FOLDER))
}

impl fmt::Debug for Settings {
    /// Only what cannot be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("execution_service_url", &self.execution_service_url)
            .field("languages", &self.rules.languages)
            .finish_non_exhaustive()
    }
}
