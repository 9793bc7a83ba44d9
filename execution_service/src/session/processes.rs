//! Commands that were started in a session, beside its runs.
//!
//! ```text
//! Processes ── SessionProcess ── Log      numbered events, for any number of followers
//!           │                 ├─ Input    what it is to read
//!           │                 └─ Flow     how far its terminal is read ahead of who looks at it
//!           ├─ Room    the memory that all of them may take together
//!           └─ Pace    how fast they are read
//! ```
//! One task drives each command to its end ([`drive`]). None waits for anybody who listens.

mod drive;
mod events;
mod flow;
mod input;
mod log;
mod pace;
mod room;
mod told;
mod viewer;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::execution::sharing::Share;
use crate::sandbox::backend::{Process, ProcessEnd, ProcessId, Terminal};
use crate::sandbox::spec::TerminalSize;

use drive::{Ends, KILLED, drive};
use flow::Flow;
use input::Input;
use log::Log;
use pace::Pace;
use room::Room;
use told::told;

pub use events::{Batch, End, EndCause, ProcessEvent};
pub use viewer::{Frame, Keyboard, Viewer};

/// Commands of one session that run at once.
const MOST: usize = 64;
/// Commands of one owner that run at once, in all sessions: each holds two or three of the worker's open files.
pub const MOST_OF_AN_OWNER: usize = 256;
/// Commands of one session that have ended and are remembered, with what their logs hold.
const MOST_ENDED: usize = 32;
/// How long they are.
const MEMORY: Duration = Duration::from_secs(300);

/// One command, running or ended.
pub struct SessionProcess {
    /// In its session. It may come to mean another one when this has ended, as those of processes do.
    pub id: ProcessId,
    /// The program and its arguments, as far as they are told.
    pub command: Vec<String>,
    /// What its caller calls it.
    pub tag: String,
    /// When it was started.
    pub started: SystemTime,
    /// A moment before, after which all that comes of it was born.
    pub began: std::time::Instant,
    log: Log,
    /// Absent for one that was started without.
    input: Option<Input>,
    terminal: Option<Mutex<Option<Box<dyn Terminal>>>>,
    flow: Flow,
    timed_out: AtomicBool,
}

/// Why something cannot be done to a command.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The session has none of that number, or has forgotten it.
    #[error("no such process in the session")]
    NotFound,
    /// It has ended.
    #[error("the process has ended")]
    Ended,
    /// Its standard input was not kept open, or has been ended.
    #[error("its standard input is not open")]
    NoInput,
    /// So much of what it was sent waits to be read that no more is taken.
    #[error("it does not read what it was sent: nothing more is taken until it does")]
    InputFull,
    /// It was started without.
    #[error("it has no terminal")]
    NoTerminal,
    /// The session has as many as one may have.
    #[error("the session has {MOST} processes, which is as many as one may have")]
    TooMany,
    /// The owner's sessions together have as many as one owner may have.
    #[error(
        "your sessions have {MOST_OF_AN_OWNER} processes, which is as many as one user may have"
    )]
    TooManyOfOwner,
}

/// All that run in one session, and those that have lately. Cheap to clone.
#[derive(Clone, Default)]
pub struct Processes(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    room: Room,
    pace: Arc<Pace>,
}

#[derive(Default)]
struct State {
    running: BTreeMap<ProcessId, Arc<SessionProcess>>,
    /// Oldest first.
    ended: VecDeque<(Instant, Arc<SessionProcess>)>,
    /// Places taken: by those that are being started, that run, and that have left others behind which hold
    /// their pipes.
    places: usize,
}

/// A place among the processes of a session, taken by a command that is being started; with the time since when:
/// nothing that comes of the command is older.
pub struct Reservation(Processes, std::time::Instant);

/// What is to be known of a command that is started.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// What its caller calls it.
    pub tag: String,
    /// What its input begins with, if it has any.
    pub input: Vec<u8>,
    /// Whether that goes on.
    pub open_input: bool,
}

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
        // What was said long ago makes way for what is about to be.
        for (_, process) in &state.ended {
            if !self.0.room.is_scarce() {
                break;
            }
            process.log.shrink();
        }
        Ok(Reservation(self.clone(), std::time::Instant::now()))
    }

    /// Those that run, in the order of their numbers.
    pub fn running(&self) -> Vec<Arc<SessionProcess>> {
        self.lock().running.values().cloned().collect()
    }

    /// Those that have ended lately, oldest first, and those that run.
    pub fn all(&self) -> Vec<Arc<SessionProcess>> {
        let state = self.lock();
        let ended = state.ended.iter().map(|(_, process)| process);
        ended.chain(state.running.values()).cloned().collect()
    }

    /// How many places are taken.
    pub fn places(&self) -> usize {
        self.lock().places
    }

    /// How many run.
    pub fn count(&self) -> u64 {
        self.lock().running.len() as u64
    }

    /// One that runs, or has ended lately.
    ///
    /// # Errors
    /// [`ProcessError::NotFound`].
    pub fn get(&self, id: ProcessId) -> Result<Arc<SessionProcess>, ProcessError> {
        let state = self.lock();
        let ended = state.ended.iter().map(|(_, process)| process);
        let found = state.running.get(&id).or_else(|| ended.rev().find(|one| one.id == id));
        found.cloned().ok_or(ProcessError::NotFound)
    }

    /// What is there now: whose time is up is forgotten.
    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.ended.retain(|(at, _)| at.elapsed() < MEMORY);
        state
    }
}

impl Reservation {
    /// The process has been started: gives it as others see it, and what must be driven for it to get on. With the
    /// session, whose end `ended` is, everything of it ends.
    ///
    /// # Errors
    /// [`ProcessError::InputFull`]: its input is more than there is room for.
    pub fn run(
        self,
        process: Process,
        start: Start,
        share: Share,
        ended: CancellationToken,
    ) -> Result<(Arc<SessionProcess>, impl Future<Output = ()> + Send + use<>), ProcessError> {
        let Process { id, stdout, stderr, stdin, terminal, control: _, exit } = process;
        let Start { command, tag, input, open_input } = start;
        let (processes, room) = (self.0.clone(), &self.0.0.room);
        // A terminal is open until its program ends.
        let ends = !open_input && terminal.is_none();
        let input = stdin
            .is_some()
            .then(|| Input::new(input, ends, terminal.is_some(), room))
            .transpose()?;
        let process = Arc::new(SessionProcess {
            id,
            command: told(command),
            tag,
            started: SystemTime::now(),
            began: self.1,
            log: Log::new(room, terminal.is_some()),
            input,
            terminal: terminal.map(|terminal| Mutex::new(Some(terminal))),
            flow: Flow::default(),
            timed_out: AtomicBool::new(false),
        });
        process.log.started(ProcessEvent::Started(id));
        processes.lock().running.insert(id, Arc::clone(&process));
        let registered = Registered { processes, process: Arc::clone(&process) };
        let (driven, pace) = (Arc::clone(&process), Arc::clone(&self.0.0.pace));
        let driving = async move {
            // Also while nothing is left but others that hold its pipes: a session may have only so many.
            let _place = self;
            let ends = Ends { stdin, stdout, stderr, exit };
            drive(driven, ends, (share, registered), pace, ended).await;
        };
        Ok((process, driving))
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.0.lock().places -= 1;
    }
}

impl SessionProcess {
    /// How it ended, if it has.
    pub fn end(&self) -> Option<End> {
        self.log.end()
    }

    /// Completes when it has ended.
    pub async fn ended(&self) -> End {
        self.log.over().await
    }

    /// Bytes that it has written so far: to standard output or its terminal, and to standard error.
    pub fn written(&self) -> [u64; 2] {
        self.log.totals()
    }

    /// Whether it has one.
    pub fn has_terminal(&self) -> bool {
        self.terminal.is_some()
    }

    /// Whether it can be sent something.
    pub fn is_input_open(&self) -> bool {
        self.input.as_ref().is_some_and(Input::is_open)
    }

    /// Its events after number `after`, up to `most` bytes of output. Waits up to `patience` for the first, or, with
    /// `until_end`, for its end or so many bytes.
    pub async fn read(
        &self,
        after: u64,
        most: usize,
        patience: Duration,
        until_end: bool,
    ) -> Batch {
        if patience.is_zero() {
            return self.log.read(after, most);
        }
        let waited = timeout(patience, self.log.wait(after, most, until_end)).await;
        waited.unwrap_or_else(|_| self.log.read(after, most))
    }

    /// Sends it `data`, all or nothing, and the end of its input if `end`.
    ///
    /// # Errors
    /// [`ProcessError::NoInput`], also when the command reads no more; [`ProcessError::InputFull`].
    pub fn write(&self, data: &[u8], end: bool) -> Result<(), ProcessError> {
        self.input.as_ref().ok_or(ProcessError::NoInput)?.take(data, end)
    }

    /// Gives its terminal another size.
    ///
    /// # Errors
    /// [`ProcessError::NoTerminal`], [`ProcessError::Ended`].
    pub fn resize(&self, size: TerminalSize) -> Result<(), ProcessError> {
        let terminal = self.terminal.as_ref().ok_or(ProcessError::NoTerminal)?;
        let terminal = terminal.lock().unwrap_or_else(PoisonError::into_inner);
        let terminal = terminal.as_ref().ok_or(ProcessError::Ended)?;
        terminal.resize(size).map_err(|_| ProcessError::Ended)
    }

    /// It is about to be told to end, because it has run as long as it was to.
    pub fn times_out(&self) {
        self.timed_out.store(true, Ordering::Relaxed);
    }

    fn has_timed_out(&self) -> bool {
        self.timed_out.load(Ordering::Relaxed)
    }

    /// Completes when its terminal is to be read; at once for one that has none.
    async fn may_be_read(&self) {
        if self.terminal.is_none() {
            return;
        }
        let mut changes = self.flow.changes();
        let is_behind = || self.input.as_ref().is_some_and(Input::is_behind);
        while !self.flow.may_read(self.log.totals()[0]) && !is_behind() {
            // The sender lives as long as we do.
            let _ = changes.changed().await;
        }
    }

    /// Nothing is passed on any more, either way.
    fn close(&self) {
        if let Some(input) = &self.input {
            input.close();
        }
        if let Some(terminal) = &self.terminal {
            *terminal.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

/// An entry among those that run; on every path it is one among those that have ended then.
struct Registered {
    processes: Processes,
    process: Arc<SessionProcess>,
}

impl Drop for Registered {
    fn drop(&mut self) {
        if self.process.end().is_none() {
            let ProcessEnd { exit, cpu, peak_memory_bytes } = KILLED;
            let (cause, at) = (EndCause::SessionEnded, SystemTime::now());
            self.process.log.ended(End { exit, cause, at, cpu, peak_memory_bytes });
        }
        let mut state = self.processes.lock();
        let id = self.process.id;
        state.running.remove(&id);
        state.ended.retain(|(_, other)| other.id != id);
        state.ended.push_back((Instant::now(), Arc::clone(&self.process)));
        if state.ended.len() > MOST_ENDED {
            state.ended.pop_front();
        }
    }
}

#[cfg(test)]
mod tests;
