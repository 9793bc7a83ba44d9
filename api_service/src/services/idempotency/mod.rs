//! Requests that must happen once, whatever happens to their callers.

mod attach;

use std::sync::Arc;

pub use self::attach::Ongoing;
use super::Error;
use super::background::Background;
use super::sealing::Sealer;
use crate::domain::idempotency::{Earlier, Reservation};
use crate::domain::ids::BootId;
use crate::storage::Database;

/// Answers of more bytes are not kept: at 120 of 32 MB the statements of others waited for 4 s.
const LONGEST: usize = 4 << 20;
/// Those of fewer are left to the sweep that looks after all users now and then.
const SMALL: usize = 64 << 10;

/// Reserves keys and remembers answers.
#[derive(Clone)]
pub struct Idempotency {
    /// Where they are kept.
    pub database: Database,
    /// Encrypts the answers.
    pub sealer: Arc<Sealer>,
    /// Settles a claim whose request was dropped.
    pub background: Background,
    /// This life of the gateway.
    pub boot: BootId,
    /// Requests that go on here whoever waits for them.
    pub ongoing: Ongoing,
    /// Bytes of kept answers that one user may have: the oldest are forgotten.
    pub most_of_user: i64,
}

/// What to do with a request.
pub enum Begin {
    /// Nobody asked for it before: do it, and tell the claim how it went.
    Fresh(Claim),
    /// It was done: this is the answer.
    Replay {
        /// Its status.
        status: u16,
        /// Its body.
        body: Vec<u8>,
    },
}

impl Idempotency {
    /// Reserves the key.
    ///
    /// # Errors
    /// [`Error::KeyReused`], [`Error::KeyInProgress`] or [`Error::KeyUnknown`].
    pub async fn begin(&self, reservation: Reservation) -> Result<Begin, Error> {
        match self.database.reserve_key(&reservation, &self.boot).await? {
            None => {
                Ok(Begin::Fresh(Claim { reservation: Some(reservation), keeper: self.clone() }))
            }
            Some(Earlier::OtherBody) => Err(Error::KeyReused),
            Some(Earlier::InProgress) => Err(Error::KeyInProgress),
            Some(Earlier::Unknown(began)) => Err(Error::KeyUnknown(began)),
            Some(Earlier::Answered { status, sealed_body }) => {
                let (sealer, context) = (self.sealer.clone(), context(&reservation));
                let body = aside(sealed_body.len(), move || sealer.open(&context, &sealed_body));
                // An answer that was sealed with an earlier SECRET_KEY cannot be given again.
                Ok(Begin::Replay { status, body: body.await?.ok_or(Error::KeyUnknown(None))? })
            }
        }
    }
}

/// A reserved key. Dropped without a word, its request was cut off: nobody knows how far it got.
pub struct Claim {
    reservation: Option<Reservation>,
    keeper: Idempotency,
}

impl Claim {
    /// The request was done, and this is its answer.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub async fn answered(
        mut self,
        status: u16,
        body: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<(), Error> {
        let Some(reservation) = self.reservation.take() else {
            return Ok(());
        };
        let length = body.as_ref().len();
        if length > LONGEST && reservation.execution.is_some() {
            return self.refer(reservation).await;
        }
        let most = self.keeper.most_of_user;
        let (sealer, database) = (self.keeper.sealer.clone(), self.keeper.database.clone());
        let note = async move {
            let context = context(&reservation);
            let seal = move || sealer.seal(&context, body.as_ref());
            let sealed = aside(length, seal).await??;
            database.answer_key(&reservation, status, &sealed).await?;
            if sealed.len() > SMALL {
                database.forget_large_answers_of(&reservation.user, most).await?;
            }
            Ok(())
        };
        self.write(note).await
    }

    /// Keeps no answer: a retry gets what the history has of the run.
    async fn refer(&self, reservation: Reservation) -> Result<(), Error> {
        let database = self.keeper.database.clone();
        self.write(async move { Ok(database.give_up_key(&reservation).await?) }).await
    }

    /// The request failed: when that provably had no effect, the key can be used again.
    ///
    /// # Errors
    /// When that cannot be noted.
    pub async fn failed(mut self, error: &Error) -> Result<(), Error> {
        let Some(reservation) = self.reservation.take() else {
            return Ok(());
        };
        let database = self.keeper.database.clone();
        let doubt = error.leaves_doubt();
        let note = async move {
            let noted = if doubt {
                database.give_up_key(&reservation).await
            } else {
                database.release_key(&reservation).await
            };
            Ok(noted?)
        };
        self.write(note).await
    }

    /// To the end, even when the caller goes away meanwhile.
    async fn write(
        &self,
        note: impl Future<Output = Result<(), Error>> + Send + 'static,
    ) -> Result<(), Error> {
        let written = self.keeper.background.finish(note).await;
        written.ok_or(Error::Fault("the note of a key was cut off"))?
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let Some(reservation) = self.reservation.take() else {
            return;
        };
        let database = self.keeper.database.clone();
        self.keeper.background.spawn(async move {
            if let Err(error) = database.give_up_key(&reservation).await {
                tracing::error!(%error, "a cut-off idempotency key could not be noted");
            }
        });
    }
}

/// Does what takes milliseconds for megabytes on another thread than the one that serves others.
async fn aside<T: Send + 'static>(
    length: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    const SHORT: usize = 64 << 10;
    if length <= SHORT {
        return Ok(work());
    }
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Error::Fault("an answer was not sealed to its end"))
}

fn context(reservation: &Reservation) -> String {
    let Reservation { user, route, key, fingerprint: _, execution: _ } = reservation;
    format!("{user} {route} {}", key.as_str())
}
