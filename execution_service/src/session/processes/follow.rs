//! Following a command to its end, and a little further than its session.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Registered;
use super::events::{PIECE, ProcessEvent, Telling};
use crate::execution::sharing::Share;
use crate::execution::signals::SIGKILL;
use crate::execution::stream::Stream;
use crate::sandbox::backend::{OutputStream, Process, ProcessEnd, ProcessId};
use crate::sandbox::spec::Exit;

/// What is still in a pipe when its command has ended counts; what a process that it left behind goes on
/// writing does not.
const LAST_BYTES: u64 = 1 << 20;
/// How long after the end of its session a follower may take to hear the rest. One who does not read at all
/// would keep the pipes, and what is on its way, for as long as the connection lasts.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What goes on with a command, and is over when it has ended.
type Held = (Share, Registered);

/// Tells what the command writes until it has ended, and what is left in its pipes, and waits until that is
/// heard.
pub(super) async fn follow(
    process: Process,
    telling: Telling,
    held: Held,
    ended: CancellationToken,
) {
    let Process { id, stdout, stderr, mut exit, stdin: _, control: _, terminal: _ } = process;
    let mut told = Told::default();
    let pipes = [(Stream::Stdout, stdout), (Stream::Stderr, stderr)];
    let telling_all = tell_all(id, pipes, &mut exit, (&telling, held), &mut told);
    let patience = async {
        ended.cancelled().await;
        sleep(LAST_WORDS).await;
    };
    // Whatever is dropped here, the pipes are.
    tokio::select! {
        biased;
        () = telling_all => {}
        () = patience => {
            let last = told.exit.or_else(|| exit.try_recv().ok().map(|end| end.exit));
            telling.cut_short(last.unwrap_or(KILLED), told.ended);
        }
    }
}

/// How it ends that has nobody to tell: the session has ended, or what runs in it has ended all of it.
const KILLED: Exit = Exit::Signal(SIGKILL);

/// How far a follower has been told.
#[derive(Default)]
struct Told {
    /// How the command ended, once that is known.
    exit: Option<Exit>,
    /// That was passed on.
    ended: bool,
}

async fn tell_all(
    id: ProcessId,
    pipes: [(Stream, Box<dyn OutputStream>); 2],
    exit: &mut oneshot::Receiver<ProcessEnd>,
    (telling, (share, registered)): (&Telling, Held),
    told: &mut Told,
) {
    let follower = Follower { telling, share };
    follower.tell(ProcessEvent::Started(id)).await;
    let [mut out, mut err] = pipes.map(|(stream, pipe)| Reader::new(stream, pipe));
    let end = loop {
        // What was read is passed on outside of the select, which drops what has not come to its end.
        let reader = tokio::select! {
            biased;
            end = &mut *exit => break end,
            () = out.read(), if out.open => &mut out,
            () = err.read(), if err.open => &mut err,
        };
        reader.pass_on(&follower).await;
    };
    let exit = *told.exit.insert(end.map_or(KILLED, |end| end.exit));
    out.drain(&follower).await;
    err.drain(&follower).await;
    follower.tell(ProcessEvent::Ended(exit)).await;
    told.ended = true;
    // It runs no more, whether that is heard or not.
    drop((follower, registered));
    telling.all_is_heard().await;
}

/// Who hears what a command says.
struct Follower<'a> {
    telling: &'a Telling,
    share: Share,
}

impl Follower<'_> {
    async fn tell(&self, event: ProcessEvent) {
        if !self.telling.tell(event).await {
            self.share.abandon();
        }
    }
}

/// One stream of a command.
struct Reader {
    stream: Stream,
    pipe: Box<dyn OutputStream>,
    buffer: Vec<u8>,
    /// Of the buffer, read and not passed on.
    filled: usize,
    offset: u64,
    open: bool,
}

impl Reader {
    fn new(stream: Stream, pipe: Box<dyn OutputStream>) -> Self {
        Self { stream, pipe, buffer: vec![0; PIECE], filled: 0, offset: 0, open: true }
    }

    async fn read(&mut self) {
        self.filled = self.pipe.read(&mut self.buffer).await.unwrap_or(0);
        self.open = self.filled > 0;
    }

    /// Passes on what is left, and closes the pipe.
    async fn drain(mut self, follower: &Follower<'_>) {
        let end = self.offset + LAST_BYTES;
        while self.offset < end {
            match self.pipe.read_now(&mut self.buffer) {
                Ok(Some(count)) if count > 0 => self.filled = count,
                Ok(_) | Err(_) => return,
            }
            self.pass_on(follower).await;
        }
    }

    async fn pass_on(&mut self, follower: &Follower<'_>) {
        let filled = std::mem::take(&mut self.filled);
        if filled > 0 {
            let data = self.buffer[..filled].to_vec();
            let event = ProcessEvent::Output { stream: self.stream, offset: self.offset, data };
            self.offset += filled as u64;
            follower.tell(event).await;
        }
    }
}
