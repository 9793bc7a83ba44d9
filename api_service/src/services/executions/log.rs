//! What happens in an execution, numbered from 1, for any number of followers.
//!
//! The log is bounded in number and bytes; the oldest events make way. A follower sees each number once and
//! in order, or a gap that covers it, and then exactly one end.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::assembly::Assembly;
use crate::domain::event::Event;
use crate::domain::report::Report;
use crate::services::Error;

/// Most events of one execution that are kept for followers.
const MAX_EVENTS: usize = 4096;
/// Most bytes of them: the head of most runs, and not so much that a hundred runs fill a machine.
const MAX_BYTES: usize = 2 << 20;

/// How an execution ended.
#[derive(Debug, Clone)]
pub enum End {
    /// The program ended, and did this.
    Finished(Arc<Report>),
    /// There is no report, and this is why.
    Failed(Error),
}

/// What a follower is told.
#[derive(Debug, Clone)]
pub enum Followed {
    /// The event of this number.
    Event(u64, Event),
    /// The events of these numbers, both included, had made way.
    Gap {
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
    },
    /// The last that there is, with its number.
    End(u64, End),
}

/// The log of one execution.
pub(super) struct Log {
    state: Mutex<State>,
    max_events: usize,
    max_bytes: usize,
    /// There is an event more, or the end.
    more: Notify,
    /// There is the end: who waits for nothing else is not woken for each event.
    closed: Notify,
}

struct State {
    events: VecDeque<Event>,
    /// The number of the first of `events`, or of the next event when there are none.
    first: u64,
    bytes: usize,
    assembly: Assembly,
    /// The worker has taken it on.
    accepted: bool,
    end: Option<End>,
}

impl Log {
    pub(super) fn new() -> Arc<Self> {
        Self::bounded(MAX_EVENTS, MAX_BYTES)
    }

    fn bounded(max_events: usize, max_bytes: usize) -> Arc<Self> {
        let state = State {
            events: VecDeque::new(),
            first: 1,
            bytes: 0,
            assembly: Assembly::default(),
            accepted: false,
            end: None,
        };
        let (more, closed) = (Notify::new(), Notify::new());
        Arc::new(Self { state: Mutex::new(state), max_events, max_bytes, more, closed })
    }

    /// Adds an event; after the end there is none.
    pub(super) fn append(&self, event: Event) {
        let mut state = self.state();
        if state.end.is_some() {
            return;
        }
        let mut assembly = std::mem::take(&mut state.assembly);
        assembly.pass(event, &mut |event| self.push(&mut state, event));
        state.assembly = assembly;
        drop(state);
        self.more.notify_waiters();
    }

    fn push(&self, state: &mut State, event: Event) {
        state.bytes += event.size();
        state.events.push_back(event);
        while state.events.len() > self.max_events || state.bytes > self.max_bytes {
            let Some(oldest) = state.events.pop_front() else {
                break;
            };
            state.bytes -= oldest.size();
            state.first += 1;
        }
    }

    /// The worker has taken it on: nothing that refuses it as a whole comes any more.
    pub(super) fn accept(&self) {
        self.state().accepted = true;
        self.more.notify_waiters();
    }

    /// What the program wrote is all there: what is held back of it is told.
    pub(super) fn finish_output(&self) {
        let mut state = self.state();
        let mut assembly = std::mem::take(&mut state.assembly);
        assembly.finish(&mut |event| self.push(&mut state, event));
    }

    /// Ends the log; the first end counts.
    pub(super) fn close(&self, end: End) {
        self.finish_output();
        self.state().end.get_or_insert(end);
        self.more.notify_waiters();
        self.closed.notify_waiters();
    }

    /// Lets go of all events: who still reads is told of a gap, and of the end.
    pub(super) fn forget(&self) {
        let mut state = self.state();
        state.first = state.next();
        state.events = VecDeque::new();
        state.bytes = 0;
    }

    /// Roughly what it takes in memory, in bytes, with the report in its end.
    pub(super) fn size(&self) -> usize {
        const OVERHEAD: usize = 512;
        let state = self.state();
        let report = match &state.end {
            Some(End::Finished(report)) => report.length(),
            Some(End::Failed(_)) | None => 0,
        };
        OVERHEAD + state.bytes + report
    }

    pub(super) fn has_ended(&self) -> bool {
        self.state().end.is_some()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) -> Option<End> {
        self.state().end.clone()
    }
}

impl State {
    /// The number of the next event, or of the end.
    fn next(&self) -> u64 {
        self.first + self.events.len() as u64
    }
}

/// Reads a log from some number on, as each copy of it does. Dropping it changes nothing for anybody else.
#[derive(Clone)]
pub struct Follower {
    log: Arc<Log>,
    next: u64,
    ended: bool,
}

impl Follower {
    /// Of the events after number `after`; 0 for all. Whoever has read further than there is, has not, and stays with
    /// what there is: but who has read the end has read all.
    pub(super) fn new(log: Arc<Log>, after: u64) -> Self {
        let state = log.state();
        let (last, ended) = (state.next(), state.end.is_some() && after >= state.next());
        drop(state);
        Self { log, next: after.saturating_add(1).min(last), ended }
    }

    /// The same, which tells of the end also when that is known.
    #[must_use]
    pub fn with_end(self) -> Self {
        Self { ended: false, ..self }
    }

    /// True when there is nothing more to be told, not even the end.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Waits until the worker has taken the execution on, or it has ended before that.
    ///
    /// # Errors
    /// Why it was not taken on.
    pub async fn accepted(&self) -> Result<(), Error> {
        loop {
            let mut more = pin!(self.log.more.notified());
            more.as_mut().enable();
            {
                let state = self.log.state();
                match &state.end {
                    _ if state.accepted => return Ok(()),
                    Some(End::Failed(error)) => return Err(error.clone()),
                    Some(End::Finished(_)) => return Ok(()),
                    None => {}
                }
            }
            more.await;
        }
    }

    /// What happened next; `None` after the end. Nothing is lost when this is dropped meanwhile.
    pub async fn next(&mut self) -> Option<Followed> {
        if self.ended {
            return None;
        }
        let log = self.log.clone();
        loop {
            let mut more = pin!(log.more.notified());
            // Before the look: what comes between the look and the wait must wake.
            more.as_mut().enable();
            if let Some(found) = self.look() {
                return Some(found);
            }
            more.await;
        }
    }

    fn look(&mut self) -> Option<Followed> {
        let state = self.log.state();
        if self.next < state.first {
            let gap = Followed::Gap { first: self.next, last: state.first - 1 };
            self.next = state.first;
            return Some(gap);
        }
        let at = usize::try_from(self.next - state.first).ok();
        if let Some(event) = at.and_then(|at| state.events.get(at)) {
            let found = Followed::Event(self.next, event.clone());
            self.next += 1;
            return Some(found);
        }
        let end = state.end.clone()?;
        self.ended = true;
        Some(Followed::End(self.next, end))
    }

    /// Waits for the end alone. The last one who holds the log is given it without a copy.
    pub async fn end(self) -> End {
        let end = {
            let mut closed = pin!(self.log.closed.notified());
            closed.as_mut().enable();
            match self.log.end() {
                Some(end) => end,
                None => {
                    closed.await;
                    let ended = Error::Fault("an execution's log has no end");
                    self.log.end().unwrap_or(End::Failed(ended))
                }
            }
        };
        // With the log goes its own hold on the report, and on each result.
        drop(self.log);
        end
    }
}

#[cfg(test)]
mod tests;
