//! Why an attack could not be made at all, which is another thing than one that got through.

use std::path::PathBuf;

use thiserror::Error;

use super::corpus::CorpusError;
use super::http::HttpError;

/// What stands in the way.
#[derive(Debug, Error)]
pub enum AttackError {
    /// A file of attacks.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// Nothing has the name that was asked for.
    #[error("nothing in the corpus is called {0:?}; --list names everything")]
    NoMatch(String),
    /// Of `--url`.
    #[error(
        "{0:?} is not http://host:port; a service behind TLS is attacked on the port behind it"
    )]
    Url(String),
    /// Attacks are made as somebody.
    #[error("--url needs a token of that service in CRUCIBLE_TOKEN (an API key is one)")]
    NoToken,
    /// No directory for a service of our own.
    #[error("none of {} can hold a data directory; set DATA_DIR", .0.join(", "))]
    NoDirectory(Vec<String>),
    /// Something of this machine.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The service of our own ended, or does not answer.
    #[error("the service does not start: {why}\n{log}")]
    NotStarted {
        /// What was waited for.
        why: String,
        /// The end of its log.
        log: String,
    },
    /// Something that has to work before there is anything to attack.
    #[error("{what}: {source}")]
    Call {
        /// What was asked for.
        what: String,
        /// Why there is no answer.
        source: HttpError,
    },
    /// The same, refused.
    #[error("{what}: {status} {text}")]
    Refused {
        /// What was asked for.
        what: String,
        /// HTTP's.
        status: u16,
        /// The answer.
        text: String,
    },
    /// The counts keep changing although nothing runs.
    #[error("the service does not come to rest; {}", .0.display())]
    NeverIdle(PathBuf),
    /// Ctrl-C or SIGTERM.
    #[error("interrupted")]
    Interrupted,
}

impl AttackError {
    /// About this machine.
    pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        |source| Self::Io { what, source }
    }
}
