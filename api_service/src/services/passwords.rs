//! Argon2id, away from the threads that answer requests, and never more of it than fits.

use std::sync::Arc;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Error;

/// Longest wait for a turn. Each hash takes 19 MiB for some 30 ms: a flood of sign-ins queues here
/// and is turned away rather than eating the memory of everybody else.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// Hashes and checks passwords.
#[derive(Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    /// A hash that no password has. Checking against it takes as long as a real check, so that
    /// the time of an answer does not tell which users exist.
    nobody: Arc<str>,
}

impl Passwords {
    /// Takes the time of one hash.
    ///
    /// # Errors
    /// When the operating system has no random numbers.
    pub fn new() -> Result<Self, Error> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(4);
        let nobody = hash(&super::secrets::random_hex(32)?)?;
        Ok(Self { turns: Arc::new(Semaphore::new(threads)), nobody: Arc::from(nobody) })
    }

    /// The hash to keep of a password.
    ///
    /// # Errors
    /// [`Error::SignInBusy`] when too many wait.
    pub async fn hash(&self, password: &str) -> Result<String, Error> {
        let password = password.to_owned();
        self.in_turn(move || hash(&password)).await?
    }

    /// True when `password` is the one that was hashed; never for a user who does not exist.
    ///
    /// # Errors
    /// [`Error::SignInBusy`] when too many wait.
    pub async fn verify(&self, password: &str, kept: Option<String>) -> Result<bool, Error> {
        let password = password.to_owned();
        let exists = kept.is_some();
        let kept = kept.unwrap_or_else(|| self.nobody.to_string());
        let matches = self.in_turn(move || verify(&password, &kept)).await??;
        Ok(matches && exists)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let turn = tokio::time::timeout(MAX_WAIT, self.turns.clone().acquire_owned());
        let turn: OwnedSemaphorePermit = match turn.await {
            Ok(Ok(turn)) => turn,
            Ok(Err(_)) => return Err(Error::Fault("the password threads are gone")),
            Err(_) => return Err(Error::SignInBusy),
        };
        // The turn goes with the work: a caller who leaves does not free it before it is done.
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(turn);
            result
        });
        done.await.map_err(|_| Error::Fault("a password thread ended"))
    }
}

fn hash(password: &str) -> Result<String, Error> {
    let salt = SaltString::generate(&mut OsRng);
    Argon2::default()
        .hash_password(password.as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(|_| Error::Fault("a password cannot be hashed"))
}

fn verify(password: &str, kept: &str) -> Result<bool, Error> {
    let kept = PasswordHash::new(kept).map_err(|_| Error::Fault("a password hash is damaged"))?;
    Ok(Argon2::default().verify_password(password.as_bytes(), &kept).is_ok())
}
