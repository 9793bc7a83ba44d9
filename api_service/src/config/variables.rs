//! Everything that an operator can choose, as it is said: the variables, their defaults and units.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use settings::{Secret, header_secret, secret, values as common};
use telemetry::{LogFormat, log_level};

use super::http::HttpLimits;
use super::tls::{self, WorkerTlsFiles};
use super::values;
use crate::domain::credentials::{NewPassword, Username};
use crate::domain::language::LanguageFilter;
use crate::services::webhooks::AllowedHost;

/// The gateway: users, tokens, sessions and runs over HTTP, in front of the worker that runs code.
#[derive(Args, Clone, Debug)]
pub(super) struct Variables {
    /// Address to listen on; 0.0.0.0 for every interface
    #[arg(long, env = "HOST", default_value = "127.0.0.1", value_name = "ADDRESS",
          value_parser = common::ip_address)]
    pub host: IpAddr,
    /// Port to listen on; 0 picks a free one
    #[arg(long, env = "PORT", default_value = "8000", value_parser = common::port)]
    pub port: u16,
    /// File that gets the address in use, as ip:port
    #[arg(long, env = "ADDRESS_FILE", value_name = "FILE")]
    pub address_file: Option<PathBuf>,
    /// Signs access tokens: 32 bytes or more; changing it signs everybody out
    #[arg(long, env = "SECRET_KEY", hide_env_values = true, value_parser = secret)]
    pub secret_key: Secret,
    /// What gateway and worker share: 32 bytes or more, printable ASCII
    #[arg(long, env = "INTERNAL_AUTH_TOKEN", hide_env_values = true, value_parser = header_secret)]
    pub internal_auth_token: Secret,
    /// The worker: http://host:port, https://host:port (with WORKER_TLS_CA, WORKER_TLS_CERT and
    /// WORKER_TLS_KEY), or unix:/path/to.sock
    #[arg(long, env = "EXECUTION_SERVICE_URL", default_value = "http://127.0.0.1:50051",
          value_name = "URL", value_parser = values::worker_url)]
    pub execution_service_url: String,
    #[command(flatten)]
    pub worker_tls: WorkerTlsFiles,
    /// sqlite:/path/to.db or postgres://user:password@host/database
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, default_value = "sqlite:crucible.db",
          value_parser = values::database_url)]
    pub database_url: Secret,
    /// Folder for answered runs that are not in the database yet; has to outlive the gateway. Without
    /// it: beside the file of SQLite, and none with PostgreSQL, where an answer waits for the database
    #[arg(long, env = "JOURNAL_DIR", value_name = "DIRECTORY")]
    pub journal_dir: Option<PathBuf>,
    /// Minutes that an access token is good for, 1 to 1440
    #[arg(long = "access-token-expire-minutes", env = "ACCESS_TOKEN_EXPIRE_MINUTES", default_value = "30", value_name = "MINUTES",
          value_parser = values::minutes)]
    pub access_token_lifetime: Duration,
    /// Days that a refresh token is good for, 1 to 3650
    #[arg(long = "refresh-token-expire-days", env = "REFRESH_TOKEN_EXPIRE_DAYS", default_value = "30", value_name = "DAYS",
          value_parser = values::days)]
    pub refresh_token_lifetime: Duration,
    /// Browser origins that may call, such as https://app.example.com, separated by commas
    #[arg(long, env = "CORS_ORIGINS", value_delimiter = ',', value_name = "ORIGINS",
          value_parser = values::origin)]
    pub cors_origins: Vec<String>,
    /// Hosts that the answers of detached runs may be posted to, such as hooks.example.com, *.example.com or
    /// hooks.example.com:8443, separated by commas; addresses of private networks only where they stand here
    /// themselves
    #[arg(long, env = "WEBHOOK_HOSTS", value_delimiter = ',', value_name = "HOSTS",
          value_parser = values::webhook_host)]
    pub webhook_hosts: Vec<Option<AllowedHost>>,
    /// Languages to offer, separated by commas; * for all that there are
    #[arg(long, env = "SUPPORTED_LANGUAGES", default_value = "*", value_name = "LANGUAGES",
          value_parser = values::languages)]
    pub supported_languages: LanguageFilter,
    /// Seconds that a run may take when it says nothing
    #[arg(long, env = "DEFAULT_TIMEOUT", default_value = "30", value_name = "SECONDS",
          value_parser = common::seconds)]
    pub default_timeout: Duration,
    /// Seconds that a run may take at most
    #[arg(long, env = "MAX_TIMEOUT", default_value = "300", value_name = "SECONDS",
          value_parser = common::seconds)]
    pub max_timeout: Duration,
    #[command(flatten)]
    pub http: HttpLimits,
    /// Name of the first user, who is made when there are none [default: admin]
    #[arg(long, env = "ADMIN_USERNAME", value_name = "NAME", value_parser = values::username)]
    pub admin_username: Option<Username>,
    /// Password of the first user; without it one is made, and printed once
    #[arg(long, env = "ADMIN_PASSWORD", hide_env_values = true, value_parser = values::password)]
    pub admin_password: Option<NewPassword>,
    /// auto (pretty on a terminal, JSON elsewhere), pretty or json
    #[arg(long, env = "LOG_FORMAT", default_value = "auto", value_name = "FORMAT")]
    pub log_format: LogFormat,
    /// error, warn, info, debug or trace; or directives such as info,api_service=debug
    #[arg(long, env = "LOG_LEVEL", default_value = "info", value_name = "LEVEL",
          value_parser = log_level)]
    pub log_level: String,
    /// ip:port of a listener of its own for Prometheus metrics; off when it is not set
    #[arg(long, env = "METRICS_ADDRESS", value_name = "ADDRESS",
          value_parser = values::socket_address)]
    pub metrics_address: Option<SocketAddr>,
    /// Days after which an execution is forgotten, 1 to 3650
    #[arg(long = "execution-retention-days", env = "EXECUTION_RETENTION_DAYS", default_value = "30", value_name = "DAYS",
          value_parser = values::days)]
    pub retention_days: Duration,
    /// Executions that are remembered for each user
    #[arg(long = "execution-retention-count", env = "EXECUTION_RETENTION_COUNT", default_value = "1000", value_name = "COUNT",
          value_parser = values::count)]
    pub retention_count: u32,
}

impl settings::Settings for Variables {
    fn conflicts(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut refuse = |is_wrong: bool, problem: &str| {
            if is_wrong {
                problems.push(String::from(problem));
            }
        };
        refuse(
            self.default_timeout > self.max_timeout,
            "DEFAULT_TIMEOUT must not be above MAX_TIMEOUT",
        );
        refuse(
            self.http.max_buffered_bytes / 2 < self.http.max_body_bytes,
            "MAX_BUFFERED_BYTES must be at least twice MAX_BODY_BYTES",
        );
        refuse(
            self.secret_key.expose() == self.internal_auth_token.expose(),
            "SECRET_KEY and INTERNAL_AUTH_TOKEN must differ",
        );
        problems.extend(tls::conflicts(&self.worker_tls, &self.execution_service_url));
        problems
    }
}
