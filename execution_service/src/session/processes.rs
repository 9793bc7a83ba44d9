//! Commands that were started in a session, beside its runs.

mod events;
mod follow;
mod told;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

use crate::execution::sharing::Share;
use crate::sandbox::backend::{Process, ProcessId};

use follow::follow;
use told::told;

pub use events::{Events, ProcessEvent};

/// Commands of one session that run at once.
const MOST: usize = 64;
/// Commands of one owner that run at once, in all sessions: each holds two or three of the worker's open files.
pub const MOST_OF_AN_OWNER: usize = 256;

/// Standard input of a command.
type Input = Box<dyn AsyncWrite + Send + Sync + Unpin>;

/// One command that runs.
pub struct Running {
    /// In its session.
    pub id: ProcessId,
    /// The program and its arguments, as far as they are told.
    pub command: Vec<String>,
    /// When it was started.
    pub started: SystemTime,
    /// Open until somebody ends it; absent for one that was started without.
    stdin: tokio::sync::Mutex<Option<Input>>,
}

/// Why something cannot be done to a command.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// None that runs in the session has that number.
    #[error("no such process runs in the session")]
    NotFound,
    /// Its standard input was not kept open, or has been ended.
    #[error("its standard input is not open")]
    NoInput,
    /// The session has as many as one may have.
    #[error("the session has {MOST} processes, which is as many as one may have")]
    TooMany,
    /// The owner's sessions together have as many as one owner may have.
    #[error(
        "your sessions have {MOST_OF_AN_OWNER} processes, which is as many as one user may have"
    )]
    TooManyOfOwner,
}

/// All that run in one session. Cheap to clone.
#[derive(Clone, Default)]
pub struct Processes(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    running: BTreeMap<ProcessId, Arc<Running>>,
    /// Places taken: by those that are being started, that run, and whose follower has not heard all yet.
    places: usize,
}

/// A place among the processes of a session, taken by a command that is being started.
pub struct Reservation(Processes);

impl Processes {
    /// Takes a place for one more.
    ///
    /// # Errors
    /// [`ProcessError::TooMany`].
    pub fn reserve(&self) -> Result<Reservation, ProcessError> {
        let mut state = self.lock();
        if state.places >= MOST {
            return Err(ProcessError::TooMany);
        }
        state.places += 1;
        Ok(Reservation(self.clone()))
    }

    /// Those that run, in the order of their numbers.
    pub fn all(&self) -> Vec<Arc<Running>> {
        self.lock().running.values().cloned().collect()
    }

    /// How many places are taken.
    pub fn places(&self) -> usize {
        self.lock().places
    }

    /// How many run.
    pub fn count(&self) -> u64 {
        self.lock().running.len() as u64
    }

    /// One that runs.
    ///
    /// # Errors
    /// [`ProcessError::NotFound`].
    pub fn get(&self, id: ProcessId) -> Result<Arc<Running>, ProcessError> {
        self.lock().running.get(&id).cloned().ok_or(ProcessError::NotFound)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation {
    /// The process has been started: gives what it says, and what must be driven for it to get on. It gets on
    /// without a follower, too; what it says is then for nobody. With the session, whose end `ended` is,
    /// everything of it ends.
    pub fn run(
        self,
        mut process: Process,
        command: Vec<String>,
        share: Share,
        ended: CancellationToken,
    ) -> (Events, impl Future<Output = ()> + Send + use<>) {
        let (telling, events) = events::channel();
        let id = process.id;
        let stdin = tokio::sync::Mutex::new(process.stdin.take());
        let running = Running { id, command: told(command), started: SystemTime::now(), stdin };
        let processes = self.0.clone();
        processes.lock().running.insert(id, Arc::new(running));
        let registered = Registered { processes, id };
        let follow = async move {
            // Also while nothing is left but what was not heard: a session may have only so much of that.
            let _place = self;
            follow(process, telling, (share, registered), ended).await;
        };
        (events, follow)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.0.lock().places -= 1;
    }
}

impl Running {
    /// Writes to its standard input, and ends that if `end`.
    ///
    /// # Errors
    /// [`ProcessError::NoInput`], also when the command reads no more.
    pub async fn write(&self, data: &[u8], end: bool) -> Result<(), ProcessError> {
        let mut stdin = self.stdin.lock().await;
        let input = stdin.as_mut().ok_or(ProcessError::NoInput)?;
        let written = input.write_all(data).await;
        if end || written.is_err() {
            *stdin = None;
        }
        written.map_err(|_| ProcessError::NoInput)
    }
}

/// An entry among the processes of a session, removed on every path.
struct Registered {
    processes: Processes,
    id: ProcessId,
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.processes.lock().running.remove(&self.id);
    }
}

#[cfg(test)]
mod tests;
