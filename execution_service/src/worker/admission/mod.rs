//! Admission: a bounded number of runs at once, a bounded queue before them, and fair shares of both.
//!
//! ```text
//! enter ──▶ Ticket ──turn──▶ Permit
//!   └─ QueueFull     └─ Overdue
//! ```
//! Dropping a ticket leaves the queue at once; dropping a permit gives the slot to the next in turn. Both
//! also happen when a task is aborted or panics.

mod pace;
mod queue;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

pub use self::queue::Size;
pub use crate::owners::Bound;

use self::pace::Pace;
use self::queue::{Candidate, Entry, Full, Number, Queue};

/// No room, or no time: the run was not begun, and may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", match .bound {
    Bound::Owner => "you have as many runs waiting as one user may have",
    Bound::Worker => "every slot is taken, and there is no waiting for one any longer",
})]
pub struct QueueFull {
    /// Which queue.
    pub bound: Bound,
    /// Whose turn it would have been: 1 is next.
    pub position: usize,
    /// Those who wait in it.
    pub length: usize,
    /// When to try again, as a guess from the last runs: 1 s to 60 s.
    pub retry_after: Duration,
}

/// What has become of those who had to wait or were not let in, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Left before their turn: cancelled, or their caller went away.
    pub cancelled: u64,
    /// Waited until it was too late to begin.
    pub overdue: u64,
    /// Found no room.
    pub refused: u64,
}

/// The queue, and what runs of each owner count against it.
pub struct Admission {
    state: Mutex<State>,
    slots: usize,
}

struct State {
    queue: Queue,
    pace: Pace,
    tally: Tally,
    last: Number,
    /// How to wake those who wait.
    bells: HashMap<Number, oneshot::Sender<()>>,
}

/// A slot, or a place in the queue for one. Dropping it gives up whichever it is.
pub struct Ticket {
    admission: Arc<Admission>,
    number: Number,
    owner: String,
    session: Option<String>,
    stage: Stage,
}

enum Stage {
    /// Until the bell rings; it may have rung unheard.
    Waiting(oneshot::Receiver<()>),
    /// Since then.
    Running(Instant),
    /// Has neither a slot nor a place.
    Left,
}

/// The right to run. Dropping it hands the slot on.
pub struct Permit {
    _ticket: Ticket,
}

impl Admission {
    /// With every slot free.
    pub fn new(size: Size) -> Arc<Self> {
        // Without a slot nothing would ever run.
        let size = Size { slots: size.slots.max(1), ..size };
        let state = State {
            queue: Queue::new(size),
            pace: Pace::new(),
            tally: Tally::default(),
            last: 0,
            bells: HashMap::new(),
        };
        Arc::new(Self { state: Mutex::new(state), slots: size.slots })
    }

    /// Takes a run on: its place in the order is settled when this returns.
    ///
    /// # Errors
    /// [`QueueFull`].
    pub fn enter(
        self: &Arc<Self>,
        owner: &str,
        session: Option<&str>,
    ) -> Result<Ticket, QueueFull> {
        let mut state = self.lock();
        state.last += 1;
        let (number, owner) = (state.last, String::from(owner));
        let session = session.map(String::from);
        let candidate = Candidate { number, owner: owner.clone(), session: session.clone() };
        let stage = match state.queue.enter(candidate) {
            Ok(Entry::Starts) => Stage::Running(Instant::now()),
            Ok(Entry::Waits) => {
                let (ring, bell) = oneshot::channel();
                state.bells.insert(number, ring);
                Stage::Waiting(bell)
            }
            Err(full) => {
                state.tally.refused += 1;
                let refusal = self.refusal(&state, &owner, full);
                state.log("a run was refused: its queue is full");
                return Err(refusal);
            }
        };
        drop(state);
        Ok(Ticket { admission: Arc::clone(self), number, owner, session, stage })
    }

    /// What has become of those who had to wait or were not let in.
    #[cfg(test)]
    pub fn tally(&self) -> Tally {
        self.lock().tally
    }

    /// How many wait.
    pub fn waiting(&self) -> u64 {
        self.lock().bells.len() as u64
    }

    fn refusal(&self, state: &State, owner: &str, full: Full) -> QueueFull {
        let Full { bound, position, length } = full;
        let slots = match bound {
            Bound::Owner => state.queue.running_of(owner),
            Bound::Worker => self.slots,
        };
        QueueFull { bound, position, length, retry_after: state.pace.wait(position, slots) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Whoever panicked had no business in between: every change here is made in one go.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn hand_on(&mut self) {
        while let Some(number) = self.queue.next() {
            // One that just goes away has the slot all the same, and gives it back when it is dropped.
            if let Some(bell) = self.bells.remove(&number) {
                let _ = bell.send(());
            }
        }
    }

    fn log(&self, what: &str) {
        let Tally { cancelled, overdue, refused } = self.tally;
        let (running, waiting) = (self.queue.running(), self.queue.waiting());
        tracing::info!(running, waiting, cancelled, overdue, refused, "{what}");
    }
}

impl Ticket {
    /// Waits for the slot, until `latest` if there is such a time. One that has its slot already is not
    /// asked for the time: it has not waited.
    ///
    /// # Errors
    /// [`QueueFull`], about the queue of all, when it was not there by then.
    pub async fn turn(mut self, latest: Option<Instant>) -> Result<Permit, QueueFull> {
        if let Stage::Waiting(bell) = &mut self.stage {
            // The other end is dropped only when it has rung or when this ticket has left.
            let in_time = match latest {
                None => bell.await.is_ok(),
                Some(latest) => tokio::time::timeout_at(latest, bell).await.is_ok(),
            };
            if !in_time && let Some(overdue) = self.give_up() {
                return Err(overdue);
            }
            self.stage = Stage::Running(Instant::now());
        }
        Ok(Permit { _ticket: self })
    }

    /// `None` when the slot came in the same moment.
    fn give_up(&mut self) -> Option<QueueFull> {
        let mut state = self.admission.lock();
        let length = state.queue.waiting();
        let position = state.queue.leave(self.number, &self.owner)?;
        state.bells.remove(&self.number);
        state.tally.overdue += 1;
        let full = Full { bound: Bound::Worker, position, length };
        let refusal = self.admission.refusal(&state, &self.owner, full);
        state.log("a run has waited until it was too late to begin");
        drop(state);
        self.stage = Stage::Left;
        Some(refusal)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.admission.lock();
        match &self.stage {
            Stage::Left => return,
            Stage::Waiting(_) => {
                if state.queue.leave(self.number, &self.owner).is_some() {
                    state.bells.remove(&self.number);
                    state.tally.cancelled += 1;
                    state.log("a run left the queue before its turn");
                    return;
                }
            }
            Stage::Running(since) => state.pace.learn(since.elapsed()),
        }
        state.queue.finish(&self.owner, self.session.as_deref());
        state.hand_on();
    }
}
