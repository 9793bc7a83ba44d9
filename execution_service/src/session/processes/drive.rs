//! Reading what a command writes, to its end and, where it leaves others behind, to theirs.

use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::events::{End, EndCause};
use super::log::PIECE;
use super::pace::Pace;
use super::{Registered, SessionProcess};
use crate::execution::sharing::Share;
use crate::execution::signals::SIGKILL;
use crate::execution::stream::Stream;
use crate::sandbox::backend::{InputStream, OutputStream, ProcessEnd};
use crate::sandbox::spec::Exit;

/// What is still in a pipe when its command has ended counts; what a process that it left behind goes on
/// writing does not.
const LAST_BYTES: usize = 1 << 20;

/// How one ends of which nobody can be asked: with all of its sandbox.
pub(super) const KILLED: ProcessEnd =
    ProcessEnd { exit: Exit::Signal(SIGKILL), cpu: Duration::ZERO, peak_memory_bytes: 0 };

/// What is read of a command, and written to it.
pub(super) struct Ends {
    pub(super) stdin: Option<InputStream>,
    pub(super) stdout: Box<dyn OutputStream>,
    pub(super) stderr: Box<dyn OutputStream>,
    pub(super) exit: oneshot::Receiver<ProcessEnd>,
}

/// Notes what the command does until it has ended; what it has left behind is read on, so that it can write.
/// Everything ends with the session, whose end is `ended`.
pub(super) async fn drive(
    process: Arc<SessionProcess>,
    ends: Ends,
    (share, registered): (Share, Registered),
    pace: Arc<Pace>,
    ended: CancellationToken,
) {
    let Ends { stdin, stdout, stderr, mut exit } = ends;
    let mut out = Reader::new(Stream::Stdout, stdout);
    let mut err = Reader::new(Stream::Stderr, stderr);
    let input = async {
        if let (Some(input), Some(pipe)) = (&process.input, stdin) {
            input.pass_on(pipe).await;
        }
        pending::<()>().await;
    };
    let reading = async {
        loop {
            let reader = tokio::select! {
                () = async { process.may_be_read().await; out.read().await }, if out.open => &mut out,
                () = err.read(), if err.open => &mut err,
                else => pending::<&mut Reader>().await,
            };
            let count = reader.note(&process);
            pace.keep(count).await;
        }
    };
    let end = tokio::select! {
        biased;
        end = &mut exit => end.ok(),
        () = input => None,
        () = reading => None,
    };
    out.drain(&process);
    err.drain(&process);
    process.close();
    let cause = if end.is_none() || ended.is_cancelled() {
        EndCause::SessionEnded
    } else if process.has_timed_out() {
        EndCause::TimedOut
    } else {
        EndCause::Itself
    };
    let ProcessEnd { exit, cpu, peak_memory_bytes } = end.unwrap_or(KILLED);
    process.log.ended(End { exit, cause, at: SystemTime::now(), cpu, peak_memory_bytes });
    drop((share, registered));
    if process.terminal.is_some() {
        // It hangs up.
        return;
    }
    let leftover = async { tokio::join!(out.discard(&pace), err.discard(&pace)) };
    tokio::select! {
        _ = leftover => {}
        () = ended.cancelled() => {}
    }
}

/// One stream of a command.
struct Reader {
    stream: Stream,
    pipe: Box<dyn OutputStream>,
    buffer: Vec<u8>,
    /// Of the buffer, read and not noted.
    filled: usize,
    open: bool,
}

impl Reader {
    fn new(stream: Stream, pipe: Box<dyn OutputStream>) -> Self {
        Self { stream, pipe, buffer: vec![0; PIECE], filled: 0, open: true }
    }

    async fn read(&mut self) {
        self.filled = self.pipe.read(&mut self.buffer).await.unwrap_or(0);
        self.open = self.filled > 0;
    }

    /// Notes what was read, and gives how much that is.
    fn note(&mut self, process: &SessionProcess) -> usize {
        let filled = std::mem::take(&mut self.filled);
        if filled > 0 {
            process.log.written(self.stream, &self.buffer[..filled]);
        }
        filled
    }

    /// Notes what is there.
    fn drain(&mut self, process: &SessionProcess) {
        let mut drained = 0;
        while self.open && drained < LAST_BYTES {
            match self.pipe.read_now(&mut self.buffer) {
                Ok(None) => return,
                Ok(Some(count)) if count > 0 => self.filled = count,
                Ok(_) | Err(_) => self.open = false,
            }
            drained += self.note(process);
        }
    }

    /// Reads to the end of the stream, for nobody.
    async fn discard(&mut self, pace: &Pace) {
        while self.open {
            self.read().await;
            pace.keep(std::mem::take(&mut self.filled)).await;
        }
    }
}
