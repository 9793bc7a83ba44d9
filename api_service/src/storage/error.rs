//! What can go wrong with the database.

use thiserror::Error;

/// A question that the database did not answer.
#[derive(Debug, Error)]
pub enum Error {
    /// A row with the same unique value exists.
    #[error("a row with this value exists already")]
    Conflict,
    /// The user that a row belongs to does not exist.
    #[error("the user does not exist")]
    NoSuchUser,
    /// The URL's scheme is neither `sqlite` nor `postgres`.
    #[error("the database URL must begin with sqlite: or postgres:")]
    UnknownScheme,
    /// The database's file cannot be made or written.
    #[error("the database file cannot be opened for writing")]
    File(#[source] std::io::Error),
    /// A row holds what this version never wrote.
    #[error("the database holds an unreadable value in {0}")]
    Unreadable(&'static str),
    /// The schema could not be brought up to date.
    #[error("the database schema cannot be brought up to date")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The database failed or cannot be reached.
    #[error("the database failed")]
    Failed(#[source] sqlx::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error() {
            Some(database) if database.is_unique_violation() => Self::Conflict,
            // Users are all that rows refer to.
            Some(database) if database.is_foreign_key_violation() => Self::NoSuchUser,
            Some(_) | None => Self::Failed(error),
        }
    }
}
