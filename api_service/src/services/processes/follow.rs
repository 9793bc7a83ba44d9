//! Following a process: the worker is asked for a piece at a time, and again when that was taken. So what a reader
//! does not take stays at the worker, which keeps so much of it and no more.

use std::collections::VecDeque;
use std::time::Duration;

use super::{DEADLINE, Home, Processes};
use crate::domain::process::{NewProcess, Process, ProcessEvent, ProcessEvents, ProcessId};
use crate::services::Error;
use crate::workers::client::EventsWanted;

/// How long the worker waits for something to happen before it is asked again.
const WAIT: Duration = Duration::from_secs(25);
/// Bytes of output that are asked for at once, to be passed on.
const PIECE: u32 = 64 << 10;
/// The same for who wants all of it.
const ALL: u32 = 1 << 20;

/// Reads what happens to a process, from some number on. Dropping it changes nothing for anybody else.
pub struct ProcessFollower {
    processes: Processes,
    home: Home,
    /// Which.
    pub id: ProcessId,
    after: u64,
    ready: VecDeque<(u64, ProcessEvent)>,
    over: bool,
    /// Most bytes that are asked for at once.
    at_once: u32,
}

/// What a follower sees.
#[derive(Debug)]
pub enum ProcessFollowed {
    /// The event of this number.
    Event(u64, ProcessEvent),
    /// The events of these numbers, both included, are not kept any more.
    Gap {
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
    },
}

impl ProcessFollower {
    pub(super) fn new(processes: Processes, home: Home, id: ProcessId, after: u64) -> Self {
        let ready = VecDeque::new();
        Self { processes, home, id, after, ready, over: false, at_once: PIECE }
    }

    /// Starts the process. Where somebody waits for its end, a short one is answered by the same call.
    pub(super) async fn start(
        processes: Processes,
        home: Home,
        new: &NewProcess,
    ) -> Result<(Process, Self), Error> {
        let wait = if new.background { Duration::ZERO } else { FIRST_WAIT };
        let wanted = EventsWanted { after: 0, max_bytes: ALL, wait, until_end: true };
        let call = home.call(DEADLINE);
        let started = home.client.start_process(&call, home.place(), new, wanted).await;
        let (process, ProcessEvents { events, over }) = processes.answer(&home, started).await?;
        let mut follower = Self::new(processes, home, process.id, 0);
        follower.take(events, over);
        Ok((process, follower))
    }

    /// The next that happens; `None` after the end.
    ///
    /// # Errors
    /// When the session or the worker is lost, or the process forgotten.
    pub async fn next(&mut self) -> Result<Option<ProcessFollowed>, Error> {
        loop {
            if let Some((number, _)) = self.ready.front()
                && *number > self.after + 1
            {
                let (first, last) = (self.after + 1, number - 1);
                self.after = last;
                return Ok(Some(ProcessFollowed::Gap { first, last }));
            }
            if let Some((number, event)) = self.ready.pop_front() {
                self.after = number;
                return Ok(Some(ProcessFollowed::Event(number, event)));
            }
            if self.over {
                return Ok(None);
            }
            self.ask(false).await?;
        }
    }

    /// The next that happens, for who wants all of it and only then: many at once.
    ///
    /// # Errors
    /// As [`ProcessFollower::next`].
    pub async fn next_of_all(&mut self) -> Result<Option<ProcessFollowed>, Error> {
        self.at_once = ALL;
        if self.ready.is_empty() && !self.over {
            self.ask(true).await?;
        }
        self.next().await
    }

    /// Whether nothing comes any more, of a process that has ended.
    ///
    /// # Errors
    /// As [`ProcessFollower::next`].
    pub async fn has_seen_all(&mut self) -> Result<bool, Error> {
        if self.ready.is_empty() && !self.over {
            self.ask(false).await?;
        }
        Ok(self.ready.is_empty() && self.over)
    }

    async fn ask(&mut self, until_end: bool) -> Result<(), Error> {
        let Home { client, .. } = &self.home;
        let wanted =
            EventsWanted { after: self.after, max_bytes: self.at_once, wait: WAIT, until_end };
        let call = self.home.call(WAIT + DEADLINE);
        let read = client.read_process(&call, self.home.place(), self.id, wanted).await;
        let ProcessEvents { events, over } = self.processes.answer(&self.home, read).await?;
        self.take(events, over);
        Ok(())
    }

    fn take(&mut self, events: Vec<(u64, ProcessEvent)>, over: bool) {
        self.ready.extend(events);
        self.over = over;
    }
}

/// How long the answer to a start may wait for the end of a process that somebody waits for: until then nobody is told
/// that it runs.
const FIRST_WAIT: Duration = Duration::from_millis(50);
