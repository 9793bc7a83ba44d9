//! Commands that were started in a session, beside its runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

use crate::execution::sharing::Share;
use crate::execution::stream::Stream;
use crate::sandbox::backend::{OutputStream, Process, ProcessId};
use crate::sandbox::spec::Exit;

/// Commands of one session that run at once.
const MOST: usize = 64;
/// What is read at once. Events that a follower has not taken yet are few and full rather than many.
const PIECE: usize = 32 << 10;
/// Events on their way to a follower; a command whose follower takes no more waits, as at a full pipe.
const IN_FLIGHT: usize = 16;

/// What a command tells its follower. An [`ProcessEvent::Ended`] is the last.
#[derive(Debug, PartialEq, Eq)]
pub enum ProcessEvent {
    /// It runs.
    Started(ProcessId),
    /// It wrote something.
    Output {
        /// Where.
        stream: Stream,
        /// Position of the first byte in the whole stream.
        offset: u64,
        /// What.
        data: Vec<u8>,
    },
    /// It has ended.
    Ended(Exit),
}

/// Standard input of a command.
type Input = Box<dyn AsyncWrite + Send + Sync + Unpin>;

/// One command that runs.
pub struct Running {
    /// In its session.
    pub id: ProcessId,
    /// The program and its arguments.
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
}

/// All that run in one session. Cheap to clone.
#[derive(Clone, Default)]
pub struct Processes(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    running: BTreeMap<ProcessId, Arc<Running>>,
    /// Places taken by those that are being started.
    starting: usize,
}

/// A place among the processes of a session, for one that is being started.
pub struct Place(Processes);

impl Processes {
    /// Takes a place for one more.
    ///
    /// # Errors
    /// [`ProcessError::TooMany`].
    pub fn reserve(&self) -> Result<Place, ProcessError> {
        let mut state = self.lock();
        if state.running.len() + state.starting >= MOST {
            return Err(ProcessError::TooMany);
        }
        state.starting += 1;
        Ok(Place(self.clone()))
    }

    /// Those that run, in the order of their numbers.
    pub fn all(&self) -> Vec<Arc<Running>> {
        self.lock().running.values().cloned().collect()
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

impl Place {
    /// The process has been started: gives what it says, and what must be driven for it to get on. It gets on
    /// without a follower, too; what it says is then for nobody.
    pub fn run(
        self,
        mut process: Process,
        command: Vec<String>,
        share: Share,
    ) -> (mpsc::Receiver<ProcessEvent>, impl Future<Output = ()> + Send + use<>) {
        let (events, receiver) = mpsc::channel(IN_FLIGHT);
        let id = process.id;
        let stdin = tokio::sync::Mutex::new(process.stdin.take());
        let running = Running { id, command, started: SystemTime::now(), stdin };
        let processes = self.0.clone();
        processes.lock().running.insert(id, Arc::new(running));
        let registered = Registered { processes, id };
        // Counted as running from here on.
        drop(self);
        let follow = async move {
            let _registered = registered;
            follow(process, Follower { events, share }).await;
        };
        (receiver, follow)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.lock().starting -= 1;
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

/// Who hears what a command says.
struct Follower {
    events: mpsc::Sender<ProcessEvent>,
    share: Share,
}

impl Follower {
    async fn tell(&self, event: ProcessEvent) {
        if self.events.send(event).await.is_err() {
            self.share.abandon();
        }
    }
}

/// Reads what the command writes until it has ended, and then what is left in its pipes.
async fn follow(process: Process, follower: Follower) {
    let Process { id, mut stdout, mut stderr, mut exit, .. } = process;
    follower.tell(ProcessEvent::Started(id)).await;
    let (mut out, mut err) = (Reader::new(Stream::Stdout), Reader::new(Stream::Stderr));
    let ended = loop {
        // What was read is passed on outside of the select, which drops what has not come to its end.
        let reader = tokio::select! {
            biased;
            end = &mut exit => break end,
            () = out.read(&mut stdout), if out.open => &mut out,
            () = err.read(&mut stderr), if err.open => &mut err,
        };
        reader.pass_on(&follower).await;
    };
    out.drain(&mut stdout, &follower).await;
    err.drain(&mut stderr, &follower).await;
    // Without init there is nobody to tell: the session has ended, or what runs in it has ended all of it.
    let exit = ended.map_or(Exit::Signal(crate::execution::signals::SIGKILL), |end| end.exit);
    follower.tell(ProcessEvent::Ended(exit)).await;
}

/// What is still in a pipe when its command has ended counts; what a process that it left behind goes on writing does
/// not.
const LAST_BYTES: u64 = 1 << 20;

/// One stream of a command.
struct Reader {
    stream: Stream,
    buffer: Vec<u8>,
    /// Of the buffer, read and not passed on.
    filled: usize,
    offset: u64,
    open: bool,
}

impl Reader {
    fn new(stream: Stream) -> Self {
        Self { stream, buffer: vec![0; PIECE], filled: 0, offset: 0, open: true }
    }

    async fn read(&mut self, pipe: &mut Box<dyn OutputStream>) {
        self.filled = pipe.read(&mut self.buffer).await.unwrap_or(0);
        self.open = self.filled > 0;
    }

    async fn drain(&mut self, pipe: &mut Box<dyn OutputStream>, follower: &Follower) {
        let end = self.offset + LAST_BYTES;
        while self.offset < end {
            match pipe.read_now(&mut self.buffer) {
                Ok(Some(count)) if count > 0 => self.filled = count,
                Ok(_) | Err(_) => return,
            }
            self.pass_on(follower).await;
        }
    }

    async fn pass_on(&mut self, follower: &Follower) {
        let filled = std::mem::take(&mut self.filled);
        if filled > 0 {
            let data = self.buffer[..filled].to_vec();
            let event = ProcessEvent::Output { stream: self.stream, offset: self.offset, data };
            self.offset += filled as u64;
            follower.tell(event).await;
        }
    }
}

#[cfg(test)]
mod tests;
