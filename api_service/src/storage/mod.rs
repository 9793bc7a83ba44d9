//! The database: SQLite or PostgreSQL, through one schema and one set of statements.
//!
//! This is the only place that knows `sqlx`. Every function is one question or one change, and a
//! change that must not be half done is one statement or one transaction that begins with a write
//! (a SQLite transaction that begins with a read can fail when it wants to write).

mod api_keys;
mod boots;
mod error;
mod execution_row;
mod executions;
mod files_json;
mod idempotency;
mod journal;
#[cfg(test)]
mod journal_properties;
mod refresh_tokens;
mod report_json;
mod retention;
mod row;
mod sessions;
mod user_changes;
mod users;

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::migrate::Migrator;
use sqlx::{AnyConnection, AnyPool, Connection, Executor};

pub use self::error::Error;
pub use self::execution_row::ExecutionRow;
pub use self::journal::{Change, Journal, left_behind};
pub use self::retention::Retention;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// How long a request waits for a free connection before it is an error.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// What SQLite is told on every connection. WAL lets readers and a writer work at once; NORMAL is
/// durable against a crash of ours and loses at most the last commits in a power cut. The first takes effect in a
/// new file only, and lets one give back what it has no use for; the log is cut to 64 MiB when it was written back.
const SQLITE_PRAGMAS: &str = "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; \
     PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000; \
     PRAGMA journal_size_limit = 67108864;";

/// Which database a URL means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    /// A file on this machine, used by one gateway.
    Sqlite,
    /// A server, shared by any number of gateways.
    Postgres,
}

impl DatabaseKind {
    /// By the URL's scheme; `None` for any other.
    pub fn of_url(url: &str) -> Option<Self> {
        match url.split_once(':') {
            Some(("sqlite", _)) => Some(Self::Sqlite),
            Some(("postgres" | "postgresql", _)) => Some(Self::Postgres),
            Some(_) | None => None,
        }
    }
}

/// A pool of connections. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Database {
    pool: AnyPool,
    kind: DatabaseKind,
}

impl Database {
    /// Connects, and brings the schema up to date.
    ///
    /// # Errors
    /// When the URL means no database that we know, the database cannot be reached or created, or
    /// a migration fails.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        install_default_drivers();
        let kind = DatabaseKind::of_url(url).ok_or(Error::UnknownScheme)?;
        if let Some(path) = sqlite_file(url) {
            make_private(path).map_err(Error::File)?;
        }
        let pool = AnyPoolOptions::new()
            .max_connections(match kind {
                DatabaseKind::Sqlite => 8,
                DatabaseKind::Postgres => 16,
            })
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if kind == DatabaseKind::Sqlite {
                        connection.execute(SQLITE_PRAGMAS).await?;
                    }
                    Ok(())
                })
            })
            .connect(url)
            .await;
        let pool = match pool {
            Err(sqlx::Error::PoolTimedOut) => return Err(why_unreachable(url).await.into()),
            pool => pool?,
        };
        MIGRATIONS.run(&pool).await?;
        Ok(Self { pool, kind })
    }

    /// True when the database answers.
    pub async fn is_up(&self) -> bool {
        sqlx::query("SELECT 1").execute(&self.pool).await.is_ok()
    }

    /// Ends all connections; SQLite folds its write-ahead log into the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// The pool has tried until its time was over, and does not say what kept it.
async fn why_unreachable(url: &str) -> sqlx::Error {
    match tokio::time::timeout(ACQUIRE_TIMEOUT, AnyConnection::connect(url)).await {
        Ok(Err(cause)) => cause,
        Ok(Ok(_)) | Err(_) => sqlx::Error::PoolTimedOut,
    }
}

/// Makes a SQLite file that does not exist yet, for its owner alone: it holds password hashes. The
/// files that SQLite puts beside it take over its mode.
fn make_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    options.open(path).map(drop)
}

/// The file that a URL names, when it is one of SQLite's.
pub fn sqlite_file(url: &str) -> Option<&Path> {
    let path = url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    path.split('?').next().map(Path::new)
}
