//! Follows one running program to its end.
//!
//! ```text
//! drive
//! ├── telling          a kernel what to run: it may not listen, and the clock runs already
//! ├── stdout, stderr   read all the time, whatever else happens: a full pipe would stop the program
//! ├── control          results, and the kernel's word that the run is over
//! ├── exit             from the parent of the process, or the kernel's last word: see below
//! ├── deadline         wall time: first politely, then not
//! ├── watch            processor time (and memory, without cgroups), beside all else
//! ├── interrupted      as by a keyboard: the program may go on afterwards, and if it does not stop it is stopped
//! └── cancelled        the owner's wish, or a caller who went away
//! ```
//!
//! To take an interpreter's memory apart costs the kernel of the machine 1 to 3 ms between its exit and
//! the word of it. So our kernels say with what status they are about to exit, and that is believed: a
//! program that forges it gets no other answer than it would by exiting so, and all of it is ended behind
//! the answer.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::oneshot::error::RecvError;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::language::diagnostic::Diagnostic;
use crate::sandbox::backend::{Process, ProcessEnd, ProcessId, Sandbox, SandboxError, Signal};
use crate::sandbox::spec::Exit;

use super::artifacts::LargeResults;
use super::ending::{Ending, Stop};
use super::event::{Event, RichResult};
use super::frames::{Frame, Frames};
use super::kernel::Telling;
use super::outputs::Recording;
use super::rules::Rules;
use super::signals::SIGKILL;
use super::sink::Sink;
use super::stream::{Stream, StreamTotals};
use super::streams::Streams;
use super::watch::watch;

/// How long an interrupted interpreter has to flush its output and say where it was. The answer is
/// due a quarter of a second after the limit.
const POLITE: Duration = Duration::from_millis(150);
/// How long a program may go on that was interrupted. Nobody's answer is due, and a library that computes hears of it
/// at the end of what it does.
const STUBBORN: Duration = Duration::from_secs(2);
/// After which it is interrupted once more: an interpreter that was just about to begin drops the first one.
const ONCE_MORE: Duration = Duration::from_millis(500);
/// What a pipe holds. So large a buffer comes from the kernel, untouched and zero as it is.
const PIPE: usize = 256 << 10;
/// After the exit: how long the control channel may take to show what was said before it.
const LAST_WORDS: Duration = Duration::from_millis(50);
/// Results of one run: together with two streams of 8 MiB they fit into one message to the gateway.
const MAX_RESULTS: usize = 256;
const MAX_RESULT_BYTES: usize = 16 << 20;

/// What runs: a process, and the channel of its kernel if it is one.
pub struct Running<'a> {
    /// The process.
    pub process: &'a mut Process,
    /// Where a kernel speaks, and the number of this run.
    pub kernel: Option<(&'a mut Frames, u64)>,
    /// What it is told first.
    pub telling: Option<Telling<'a>>,
    /// Whether the kernel's word ends the run (in a session), or only the end of the process does.
    pub ends_with_done: bool,
}

/// What was seen.
pub struct Driven {
    /// Why it is over.
    pub ending: Ending,
    /// What the kernel said of it.
    pub diagnostic: Option<Diagnostic>,
    /// Of descriptor 1.
    pub stdout: StreamTotals,
    /// Of descriptor 2.
    pub stderr: StreamTotals,
    /// Rich results that were left out.
    pub results_omitted: u32,
    /// The process still runs, and a kernel is ready for the next run.
    pub alive: bool,
    /// It was stopped, or a signal ended it: what may still run of it must not go on.
    pub to_kill: Option<ProcessId>,
}

enum Next {
    Told(std::io::Result<()>),
    Stdout(std::io::Result<usize>),
    Stderr(std::io::Result<usize>),
    Frame(std::io::Result<Option<Frame>>),
    Exit(Result<ProcessEnd, RecvError>),
    Deadline,
    Over(Result<Stop, SandboxError>),
    Cancelled,
    Interrupted,
}

/// Follows one running program until it has ended or is stopped, and says why it ended.
///
/// # Errors
/// [`SandboxError::Gone`] when the sandbox broke under the run: our fault, not the program's.
pub async fn drive(
    sandbox: &dyn Sandbox,
    running: Running<'_>,
    rules: Rules<'_>,
    sink: &Sink,
    recording: &mut Recording,
) -> Result<Driven, SandboxError> {
    let Running { process, mut kernel, mut telling, ends_with_done } = running;
    let mut streams = Streams::new(rules.limits.output_bytes, recording);
    let (mut out_buffer, mut err_buffer) = (vec![0; PIPE], vec![0; PIPE]);
    let (mut out_open, mut err_open, mut frames_open) = (true, true, kernel.is_some());
    let mut deadline = Instant::now() + rules.limits.wall;
    let mut watch = std::pin::pin!(watch(sandbox, &rules));
    let mut results = Results { large: rules.large, ..Results::default() };
    let (mut diagnostic, mut done) = (None, false);
    // Set when the program has been told to stop, with the reason; the deadline is then its last.
    let mut stopping: Option<Stop> = None;
    // While an interrupted program goes on: when it is interrupted once more.
    let mut once_more: Option<Instant> = None;

    let (ending, alive) = loop {
        let may_go_on = may_go_on(stopping);
        let next = tokio::select! {
            biased;
            end = &mut process.exit => Next::Exit(end),
            () = sleep_until(deadline) => Next::Deadline,
            () = rules.cancelled.cancelled(), if may_go_on => Next::Cancelled,
            () = interrupted(&rules, once_more), if may_go_on => Next::Interrupted,
            told = tell(&mut telling), if telling.is_some() => Next::Told(told),
            frame = next_frame(&mut kernel), if frames_open => Next::Frame(frame),
            read = streams.read(Stream::Stdout, &mut process.stdout, &mut out_buffer), if out_open => Next::Stdout(read),
            read = streams.read(Stream::Stderr, &mut process.stderr, &mut err_buffer), if err_open => Next::Stderr(read),
            stop = &mut watch, if may_go_on => Next::Over(stop),
        };
        match next {
            Next::Told(Ok(())) => telling = None,
            Next::Told(Err(_)) => {
                // Nobody reads any more: it has ended, or user code has closed its ears.
                let end = timeout(LAST_WORDS, &mut process.exit).await;
                let exit = end.map_or(Exit::Signal(SIGKILL), exit_of);
                break (ending_of(stopping, Ending::Exited(exit)), false);
            }
            Next::Stdout(Ok(0) | Err(_)) => out_open = false,
            Next::Stderr(Ok(0) | Err(_)) => err_open = false,
            Next::Stdout(Ok(count)) => {
                streams.push(Stream::Stdout, &out_buffer[..count], sink);
            }
            Next::Stderr(Ok(count)) => {
                streams.push(Stream::Stderr, &err_buffer[..count], sink);
            }
            Next::Frame(Ok(Some(Frame::Result { id, mime, main }))) => {
                if is_current(&kernel, id) {
                    // What was written before it is told before it. The kernel has seen to that itself where what
                    // was shown is cleared, and goes on as soon as this is read.
                    if !mime.is_empty() {
                        streams.drain(process, &mut out_buffer, sink);
                    }
                    let room = results.push(mime, main, sink);
                    if let (Some(room), Some((frames, _))) = (room, &mut kernel) {
                        frames.refuse_results_beyond(room);
                    }
                }
            }
            Next::Frame(Ok(Some(Frame::Done { id, exit_code, diagnostic: said }))) => {
                if is_current(&kernel, id) {
                    (diagnostic, done) = (said, true);
                    if ends_with_done {
                        break (ending_of(stopping, Ending::Finished { exit_code }), true);
                    }
                }
            }
            Next::Frame(Ok(Some(Frame::Exit { id, exit_code }))) => {
                if is_current(&kernel, id) && !ends_with_done {
                    let exit = Ending::Exited(Exit::Code(i32::from(exit_code)));
                    break (ending_of(stopping, exit), false);
                }
            }
            Next::Frame(Ok(Some(Frame::Ready))) => {}
            Next::Frame(Ok(None) | Err(_)) => frames_open = false,
            Next::Exit(end) => {
                break (ending_of(stopping, Ending::Exited(exit_of(end))), false);
            }
            Next::Cancelled => {
                stopping = Some(Stop::Cancelled);
                deadline = interrupt(sandbox, process, kernel.is_some()).await;
            }
            Next::Interrupted => {
                // An init that cannot even do this is dealt with when patience ends.
                let _ = sandbox.signal(process.id, Signal::Interrupt).await;
                let now = Instant::now();
                if stopping.is_none() {
                    stopping = Some(Stop::Interrupted);
                    deadline = deadline.min(now + STUBBORN);
                }
                once_more = Some(now + ONCE_MORE);
            }
            Next::Deadline => match stopping {
                None => {
                    stopping = Some(Stop::Wall);
                    deadline = interrupt(sandbox, process, kernel.is_some()).await;
                }
                Some(stop) => break (Ending::Stopped(stop), false),
            },
            Next::Over(stop) => {
                stopping = Some(stop?);
                deadline = interrupt(sandbox, process, kernel.is_some()).await;
            }
        }
        if self::may_go_on(stopping) && streams.largest() > rules.hard_output {
            break (Ending::Stopped(Stop::Output), false);
        }
    };
    if !alive {
        // What still runs is killed behind the answer. The pipes keep what was written.
        if frames_open && !done {
            diagnostic = last_words(&mut kernel, &mut results, sink).await;
        }
    }
    streams.drain(process, &mut out_buffer, sink);
    let (stdout, stderr) = streams.finish(sink);
    let to_kill = match ending {
        Ending::Exited(Exit::Code(_)) | Ending::Finished { .. } => None,
        Ending::Exited(Exit::Signal(_)) | Ending::Stopped(_) => (!alive).then_some(process.id),
    };
    let unread = kernel.as_ref().map_or(0, |(frames, _)| frames.refused_results());
    let results_omitted = results.omitted.saturating_add(unread);
    Ok(Driven { ending, diagnostic, stdout, stderr, results_omitted, alive, to_kill })
}

/// Whether a program that is `stopping` may go on, and is held to its limits still: one that was only interrupted may.
fn may_go_on(stopping: Option<Stop>) -> bool {
    matches!(stopping, None | Some(Stop::Interrupted))
}

/// What `ending` is of a program that is `stopping`.
fn ending_of(stopping: Option<Stop>, ending: Ending) -> Ending {
    stopping.filter(|_| !may_go_on(stopping)).map_or(ending, Ending::Stopped)
}

/// Completes when the program is to be interrupted: by somebody's wish, or because it is time to do it `once_more`.
async fn interrupted(rules: &Rules<'_>, once_more: Option<Instant>) {
    match (once_more, rules.handle) {
        (Some(time), _) => sleep_until(time).await,
        (None, Some(handle)) => handle.interrupted().await,
        (None, None) => std::future::pending().await,
    }
}

/// Without init there is nobody to tell. Only what runs in the sandbox can have killed it.
fn exit_of(end: Result<ProcessEnd, RecvError>) -> Exit {
    end.map_or(Exit::Signal(SIGKILL), |end| end.exit)
}

async fn tell(telling: &mut Option<Telling<'_>>) -> std::io::Result<()> {
    match telling {
        Some(telling) => telling.tell().await,
        None => Ok(()),
    }
}

async fn next_frame(kernel: &mut Option<(&mut Frames, u64)>) -> std::io::Result<Option<Frame>> {
    match kernel {
        Some((frames, _)) => frames.next().await,
        None => Ok(None),
    }
}

/// Frames of an earlier run, from a thread that lived on, are dropped, and those that name no run.
fn is_current(kernel: &Option<(&mut Frames, u64)>, id: Option<u64>) -> bool {
    kernel.as_ref().is_some_and(|(_, run)| id == Some(*run))
}

/// Asks an interpreter to come to an end; anything else is ended by the caller at once. Gives the
/// time at which patience ends.
async fn interrupt(sandbox: &dyn Sandbox, process: &Process, polite: bool) -> Instant {
    if !polite {
        return Instant::now();
    }
    let patience_ends = Instant::now() + POLITE;
    // An init that cannot even do this is dealt with when patience ends.
    let _ = sandbox.signal(process.id, Signal::Interrupt).await;
    patience_ends
}

/// What a kernel had said before its process ended may still be on its way.
async fn last_words(
    kernel: &mut Option<(&mut Frames, u64)>,
    results: &mut Results<'_>,
    sink: &Sink,
) -> Option<Diagnostic> {
    let mut diagnostic = None;
    // For all of them: a child of the program may hold the channel, and speak for ever.
    let patience_ends = Instant::now() + LAST_WORDS;
    while let Ok(Ok(Some(frame))) = timeout_at(patience_ends, next_frame(kernel)).await {
        // A time-out alone ends only what has to be waited for.
        if Instant::now() > patience_ends {
            break;
        }
        match frame {
            Frame::Result { id, mime, main } if is_current(kernel, id) => {
                results.push(mime, main, sink);
            }
            Frame::Done { id, diagnostic: said, .. } if is_current(kernel, id) => {
                diagnostic = said;
                break;
            }
            Frame::Ready | Frame::Result { .. } | Frame::Done { .. } | Frame::Exit { .. } => {}
        }
    }
    diagnostic
}

/// Rich results, bounded.
#[derive(Default)]
struct Results<'a> {
    large: Option<&'a LargeResults>,
    count: usize,
    bytes: usize,
    omitted: u32,
}

impl Results<'_> {
    /// The bytes that there is room for, if there was none for this one.
    fn push(
        &mut self,
        mime: BTreeMap<String, String>,
        is_main_result: bool,
        sink: &Sink,
    ) -> Option<usize> {
        if mime.is_empty() {
            sink.clear();
            return None;
        }
        let bytes: usize = mime.iter().map(|(kind, data)| kind.len() + data.len()).sum();
        let full = self.count == MAX_RESULTS;
        let room = if full { 0 } else { MAX_RESULT_BYTES - self.bytes };
        if full || bytes > room {
            self.omitted = self.omitted.saturating_add(1);
            return Some(room);
        }
        self.count += 1;
        self.bytes += bytes;
        let result = RichResult { mime, stored: BTreeMap::new(), is_main_result };
        sink.send(Event::Result(match self.large {
            Some(large) => large.lighten(result, self.count),
            None => result,
        }));
        None
    }
}

#[cfg(test)]
mod tests;
