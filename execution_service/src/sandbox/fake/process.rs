//! One process as its script sees it.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};
use tokio::io::{
    AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf,
};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::inside::{Entry, Inside};
use super::output::{Writer, stream};
use crate::sandbox::backend::{Control, Process, ProcessEnd, ProcessId, Signal, Terminal};
use crate::sandbox::spec::{Command, ControlChannel, Exit, Stdin, TerminalSize};

/// What a pipe of Linux holds: whoever writes more waits until it is read.
const PIPE_BYTES: usize = 64 << 10;

/// What a script has in hand of its process. Everything that it has is closed when it is dropped, as at an
/// exit.
pub struct FakeProcess {
    /// Its number.
    pub id: ProcessId,
    /// How it was started; of a zygote's child, how the zygote was.
    pub command: Command,
    /// Whether a zygote has forked it.
    pub forked: bool,
    /// The sandbox that it runs in.
    pub inside: Arc<Inside>,
    stdin: Option<BufReader<DuplexStream>>,
    stdout: Writer,
    stderr: Writer,
    control: Option<(BufReader<ReadHalf<DuplexStream>>, WriteHalf<DuplexStream>)>,
    signals: mpsc::UnboundedReceiver<Signal>,
}

/// A request to a kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct FakeRun {
    /// To be named in all that is said of it.
    pub id: u64,
    /// Whether the kernel lives on.
    pub in_session: bool,
    /// The program; empty for a kernel that reads it from a file.
    pub code: String,
    /// The whole line, where it is JSON.
    pub request: Value,
}

impl FakeProcess {
    /// A process, as its script and as the worker hold it.
    pub(super) fn start(
        inside: &Arc<Inside>,
        command: Command,
        forked: bool,
        exit: oneshot::Receiver<ProcessEnd>,
    ) -> (Self, Process, CancellationToken) {
        let (stdout, out) = stream();
        let (stderr, err) = stream();
        let (input, stdin) = match command.stdin {
            Stdin::Pipe | Stdin::Terminal(_) => {
                let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
                (Some(BufReader::new(ours)), Some(Box::new(theirs) as _))
            }
            Stdin::Null | Stdin::File(_) => (None, None),
        };
        let terminal = match command.stdin {
            Stdin::Terminal(_) => Some(Box::new(FakeTerminal) as Box<dyn Terminal>),
            Stdin::Null | Stdin::File(_) | Stdin::Pipe => None,
        };
        let (channel, control) = match command.control {
            ControlChannel::Pipes | ControlChannel::Fifos { .. } => {
                let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
                let (reader, writer) = tokio::io::split(ours);
                let (said, told) = tokio::io::split(theirs);
                let control = Control { reader: Box::new(said), writer: Box::new(told) };
                (Some((BufReader::new(reader), writer)), Some(control))
            }
            ControlChannel::None => (None, None),
        };
        let (id, signals, killed) = enter(inside, None);
        let inside = Arc::clone(inside);
        let process = Self {
            id,
            command,
            forked,
            inside,
            stdin: input,
            stdout,
            stderr,
            control: channel,
            signals,
        };
        let (stdout, stderr) = (Box::new(out), Box::new(err));
        (process, Process { id, stdin, terminal, stdout, stderr, control, exit }, killed)
    }

    /// Writes to standard output.
    pub fn print(&self, text: impl AsRef<[u8]>) {
        self.stdout.write(text.as_ref());
    }

    /// Writes to standard error.
    pub fn complain(&self, text: impl AsRef<[u8]>) {
        self.stderr.write(text.as_ref());
    }

    /// Makes the FIFO `name` of the request directory its standard input.
    pub fn read_from(&mut self, name: &str) {
        self.stdin = self.inside.open_fifo(name).map(BufReader::new);
    }

    /// The next line of standard input, without its end; `None` at the end, and where it is no pipe.
    pub async fn read_line(&mut self) -> Option<String> {
        line_of(self.stdin.as_mut()?).await
    }

    /// The rest of standard input.
    pub async fn read_to_end(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        if let Some(stdin) = &mut self.stdin {
            stdin.read_to_end(&mut rest).await.expect("memory does not fail");
        }
        rest
    }

    /// The next line of the control channel, without its end; `None` when nobody speaks any more.
    pub async fn next_line(&mut self) -> Option<String> {
        line_of(&mut self.control.as_mut()?.0).await
    }

    /// The next request of the control channel.
    ///
    /// # Panics
    /// When it is none.
    pub async fn next_run(&mut self) -> Option<FakeRun> {
        let line = self.next_line().await?;
        Some(FakeRun::parse(&line).unwrap_or_else(|| panic!("no request: {line}")))
    }

    /// Says one line on the control channel, whatever it is. What nobody hears is lost.
    pub async fn say(&mut self, line: &str) {
        if let Some((_, writer)) = &mut self.control {
            let _ = writer.write_all(format!("{line}\n").as_bytes()).await;
        }
    }

    /// Says that it can take a run.
    pub async fn ready(&mut self) {
        self.say(&json!({ "event": "ready" }).to_string()).await;
    }

    /// Says that the run `id` is over.
    pub async fn done(&mut self, id: u64, exit_code: i32) {
        self.say(&json!({ "event": "done", "id": id, "exit_code": exit_code }).to_string()).await;
    }

    /// Says that it is about to exit, at the end of the run `id`.
    pub async fn exiting(&mut self, id: u64, exit_code: u8) {
        self.say(&json!({ "event": "exit", "id": id, "exit_code": exit_code }).to_string()).await;
    }

    /// Shows a text as a rich result of the run `id`.
    pub async fn show(&mut self, id: u64, text: &str) {
        let mime = json!({ "text/plain": text });
        let line = json!({ "event": "result", "id": id, "mime": mime, "main": true });
        self.say(&line.to_string()).await;
    }

    /// Closes its control channel.
    pub fn hang_up(&mut self) {
        self.control = None;
    }

    /// Waits for a signal that can be caught. A script that does not wait ignores them.
    pub async fn signalled(&mut self) -> Signal {
        match self.signals.recv().await {
            Some(signal) => signal,
            None => std::future::pending().await,
        }
    }

    /// Does nothing until it is killed.
    pub async fn hang(&mut self) -> Exit {
        std::future::pending().await
    }

    /// Starts a process that does nothing until it is killed, and leaves it running; one that has left its
    /// parent's tree if `daemon`.
    pub fn leave_running(&self, daemon: bool) -> ProcessId {
        let parent = if daemon { None } else { Some(self.id) };
        let (id, _, killed) = enter(&self.inside, parent);
        let (inside, gone) = (Arc::clone(&self.inside), self.inside.gone());
        self.inside.tasks.spawn(async move {
            tokio::select! {
                () = killed.cancelled() => {}
                () = gone.cancelled() => {}
            }
            inside.remove(id);
        });
        id
    }
}

impl FakeRun {
    /// Of a line of JSON, or of `once 7` and `session 7`.
    fn parse(line: &str) -> Option<Self> {
        let Ok(request) = serde_json::from_str::<Value>(line) else {
            let (mode, id) = line.split_once(' ')?;
            let (in_session, code) = (mode == "session", String::new());
            return Some(Self { id: id.parse().ok()?, in_session, code, request: Value::Null });
        };
        let text = |name: &str| request.get(name).and_then(Value::as_str);
        Some(Self {
            id: request.get("id")?.as_u64()?,
            in_session: text("mode")? == "session",
            code: String::from(text("code")?),
            request: request.clone(),
        })
    }
}

/// One that no script looks at the size of.
struct FakeTerminal;

impl Terminal for FakeTerminal {
    fn resize(&self, _: TerminalSize) -> std::io::Result<()> {
        Ok(())
    }
}

fn enter(
    inside: &Inside,
    parent: Option<ProcessId>,
) -> (ProcessId, mpsc::UnboundedReceiver<Signal>, CancellationToken) {
    let (sender, signals) = mpsc::unbounded_channel();
    let killed = CancellationToken::new();
    let entry = Entry { parent, born: Instant::now(), killed: killed.clone(), signals: sender };
    (inside.add(entry), signals, killed)
}

async fn line_of(reader: &mut (impl AsyncBufReadExt + Unpin)) -> Option<String> {
    let mut line = String::new();
    let count = reader.read_line(&mut line).await.expect("memory does not fail");
    (count > 0).then(|| String::from(line.trim_end_matches('\n')))
}
