//! The gateway's settings: said once in [`variables`], checked by the crate `settings`.

mod http;
mod tls;
mod values;
mod variables;

use std::ffi::OsString;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Command;
use settings::{Given, Refused, Secret, Variable};
use telemetry::LogFormat;

pub use self::http::HttpLimits;
pub use self::tls::WorkerTls;
use self::variables::Variables;
use crate::domain::credentials::{NewPassword, Username};
use crate::domain::run::RunRules;
use crate::services::webhooks::AllowedHost;
use crate::storage::{Retention, sqlite_file};

/// Executions are remembered as long as the reports of one user take no more bytes.
const REPORT_BYTES: i64 = 256 << 20;
/// Answers to idempotency keys are kept this long.
const IDEMPOTENCY_AGE: Duration = Duration::from_secs(24 * 3600);
/// And as long as those of one user take no more bytes: some 100,000 of them, most answers being short.
const IDEMPOTENCY_BYTES: i64 = 256 << 20;

/// The folder of the journal, beside a database's file.
const JOURNAL_FOLDER: &str = "journal";

/// Everything that an operator can choose. [`variables`] says what each is called and means.
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
    /// `WORKER_TLS_CA`, `WORKER_TLS_CERT` and `WORKER_TLS_KEY`: there exactly if the URL is https.
    pub worker_tls: Option<WorkerTls>,
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
    /// `WEBHOOK_HOSTS`.
    pub webhook_hosts: Vec<AllowedHost>,
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

/// Every variable that the gateway reads.
pub fn variables() -> Vec<Variable> {
    let mut variables = settings::variables::<Variables>();
    variables
        .push(Variable::other("NO_COLOR", "When set to anything, pretty logs have no colours"));
    variables
}

impl Settings {
    /// From this process's command line and environment.
    ///
    /// # Errors
    /// An unknown flag; also `--help` and `--version`, which are to be printed.
    pub fn from_command_line(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Result<Self, Refused>, clap::Error> {
        let command = Command::new("api_service")
            .version(env!("CARGO_PKG_VERSION"))
            .about("The gateway: users, tokens, sessions and runs over HTTP")
            .after_help(
                "A flag wins over its variable. A malformed value is an error that names it.",
            );
        let (_, given) = settings::command_line::<Variables>(&command, arguments)?;
        Ok(Self::from_process(&given))
    }

    /// From this process's environment alone.
    ///
    /// # Errors
    /// Every variable that is missing, malformed, or looks like a misspelt one of ours.
    pub fn from_env() -> Result<Self, Refused> {
        Self::from_process(&Given::default())
    }

    fn from_process(given: &Given) -> Result<Self, Refused> {
        let known: Vec<String> = variables().into_iter().map(|one| one.name).collect();
        settings::read_spelt::<Variables>(given, &known).map(Self::from)
    }

    /// Whether the token and every program pass over a network without TLS.
    pub fn worker_in_clear(&self) -> bool {
        self.execution_service_url
            .strip_prefix("http://")
            .is_some_and(|rest| !tls::is_this_machine(rest.trim_end_matches('/')))
    }

    /// From any source of named values, with the names of the environment.
    ///
    /// # Errors
    /// Every value that is missing or malformed.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Refused> {
        let lookup = |name: &str| lookup(name).map(OsString::from);
        settings::read::<Variables>(&Given::default(), lookup).map(Self::from)
    }
}

impl From<Variables> for Settings {
    fn from(said: Variables) -> Self {
        let beside =
            || Some(sqlite_file(said.database_url.expose())?.with_file_name(JOURNAL_FOLDER));
        Self {
            host: said.host,
            port: said.port,
            address_file: said.address_file,
            secret_key: said.secret_key,
            internal_auth_token: said.internal_auth_token,
            execution_service_url: said.execution_service_url,
            worker_tls: said.worker_tls.complete(),
            journal_folder: said.journal_dir.or_else(beside),
            database_url: said.database_url,
            access_token_lifetime: said.access_token_lifetime,
            refresh_token_lifetime: said.refresh_token_lifetime,
            cors_origins: said.cors_origins.into_iter().filter(|one| !one.is_empty()).collect(),
            webhook_hosts: said.webhook_hosts.into_iter().flatten().collect(),
            rules: RunRules {
                default_timeout: said.default_timeout,
                max_timeout: said.max_timeout,
                languages: said.supported_languages,
            },
            http: said.http,
            admin_username: said.admin_username,
            admin_password: said.admin_password,
            log_format: said.log_format,
            log_level: said.log_level,
            metrics_address: said.metrics_address,
            retention: Retention {
                age: said.retention_days,
                executions_per_user: said.retention_count,
                report_bytes_per_user: REPORT_BYTES,
                idempotency: IDEMPOTENCY_AGE,
                answer_bytes_per_user: IDEMPOTENCY_BYTES,
            },
        }
    }
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
