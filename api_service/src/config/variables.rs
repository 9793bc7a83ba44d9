//! What the variables are called and mean, for `--help` and for those who misspell them.

/// One variable of the environment.
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it is when it is not set.
    pub default: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

const fn variable(name: &'static str, default: &'static str, meaning: &'static str) -> Variable {
    Variable { name, default, meaning }
}

/// All of them.
pub const VARIABLES: [Variable; 29] = [
    variable("SECRET_KEY", "required", "signs access tokens; 32 bytes or more, kept secret"),
    variable("INTERNAL_AUTH_TOKEN", "required", "what gateway and worker share; 32 bytes or more"),
    variable(
        "EXECUTION_SERVICE_URL",
        "http://127.0.0.1:50051",
        "the worker; or unix:/path/to.sock",
    ),
    variable("DATABASE_URL", "sqlite:crucible.db", "sqlite:/path/to.db or postgres://…"),
    variable(
        "JOURNAL_DIR",
        "beside the SQLite file",
        "folder for answered runs that are not in the database yet",
    ),
    variable("HOST", "127.0.0.1", "address to listen on"),
    variable("PORT", "8000", "port to listen on; 0 picks a free one"),
    variable("ADDRESS_FILE", "none", "file that gets the address in use, as ip:port"),
    variable("ACCESS_TOKEN_EXPIRE_MINUTES", "30", "lifetime of an access token, in minutes"),
    variable("REFRESH_TOKEN_EXPIRE_DAYS", "30", "lifetime of a refresh token, in days"),
    variable("ADMIN_USERNAME", "admin", "name of the first user; used when there are no users"),
    variable("ADMIN_PASSWORD", "made and printed once", "the first user's password"),
    variable("CORS_ORIGINS", "none", "web origins that may call, separated by commas"),
    variable(
        "SUPPORTED_LANGUAGES",
        "*",
        "languages to offer, separated by commas; * for all that workers have",
    ),
    variable("DEFAULT_TIMEOUT", "30", "time limit of a run that names none, in seconds"),
    variable("MAX_TIMEOUT", "300", "highest time limit of a run, in seconds"),
    variable("MAX_BODY_BYTES", "16777216", "largest request body, in bytes"),
    variable("MAX_BUFFERED_BYTES", "268435456", "memory for large request bodies, in bytes"),
    variable("REQUEST_HEAD_TIMEOUT", "10", "seconds that the head of a request may take"),
    variable("REQUEST_BODY_TIMEOUT", "60", "seconds that the body of a request may take"),
    variable("KEEP_ALIVE_TIMEOUT", "75", "seconds that a connection may idle between requests"),
    variable("MAX_CONNECTIONS", "8192", "connections at once; fewer where open files are few"),
    variable("MAX_CONNECTIONS_PER_ADDRESS", "1024", "connections of one address; 0 for no limit"),
    variable("LOG_FORMAT", "auto", "auto, pretty or json; auto is pretty on a terminal"),
    variable("LOG_LEVEL", "info", "error, warn, info, debug, trace, or tracing directives"),
    variable("METRICS_ADDRESS", "off", "ip:port of a listener of its own for /metrics"),
    variable("EXECUTION_RETENTION_DAYS", "30", "executions are forgotten at this age, in days"),
    variable("EXECUTION_RETENTION_COUNT", "1000", "executions remembered for each user"),
    variable("NO_COLOR", "not set", "when set, pretty logs have no colours"),
];

/// The variables as a block of text for `--help`.
pub fn help() -> String {
    let width = VARIABLES.iter().map(|one| one.name.len()).max().unwrap_or_default();
    let lines = VARIABLES.iter().map(|Variable { name, default, meaning }| {
        format!("  {name:width$}  {meaning} [{default}]")
    });
    format!("Settings, from the environment:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

/// Shorter names resemble too much that is none of our business.
const SHORTEST_NAME: usize = 8;

/// What to say about a variable that looks like a misspelt one of ours.
pub(super) fn resembled(name: &str) -> Option<String> {
    if VARIABLES.iter().any(|one| one.name == name) {
        return None;
    }
    VARIABLES
        .iter()
        .filter(|one| one.name.len() >= SHORTEST_NAME)
        .find(|one| strsim::damerau_levenshtein(one.name, name) == 1)
        .map(|one| format!("{name} is not a setting; did you mean {}?", one.name))
}

#[cfg(test)]
mod tests {
    use super::{VARIABLES, help, resembled};

    #[test]
    fn a_misspelt_name_is_told() {
        let cases = [
            ("SECRET_KEYS", Some("SECRET_KEY")),
            ("ACCESS_TOKEN_EXPIRE_MINUTE", Some("ACCESS_TOKEN_EXPIRE_MINUTES")),
            ("DATABSE_URL", Some("DATABASE_URL")),
            ("SECRET_KEY", None),
            ("HOSTS", None),
            ("HOSTNAME", None),
            ("MAX_POOL_SIZE", None),
        ];
        for (name, meant) in cases {
            let told = resembled(name);
            assert_eq!(told.is_some(), meant.is_some(), "{name}");
            assert!(meant.is_none_or(|meant| told.unwrap().contains(meant)), "{name}");
        }
    }

    #[test]
    fn help_explains_every_variable() {
        let help = help();
        assert!(VARIABLES.iter().all(|one| help.contains(one.name)));
    }
}
