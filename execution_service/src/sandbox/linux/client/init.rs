//! The worker's side of the way to an init, which is believed nothing beyond its own sandbox.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::fifo;
use super::pending::{Packets, Pending, Running};
use crate::sandbox::backend::{ProcessEnd, SandboxError};
use crate::sandbox::linux::wire::Sequence;
use crate::sandbox::linux::wire::init::{FirstWord, FromInit, InitReply, InitRequest, ToInit};
use crate::sandbox::linux::wire::init_link::{InitEnds, Replies, shut_down_receiving};

/// What init has answered.
pub struct Reply {
    /// To the question of this number.
    pub sequence: Sequence,
    /// In its words.
    pub said: InitReply,
    /// Completes at the end of the process that it has started.
    pub exit: Option<oneshot::Receiver<ProcessEnd>>,
}

/// Directories of a sandbox; one is missing if init gave something else.
#[derive(Default)]
pub struct Directories {
    /// The root of the workspace.
    pub workspace: Option<OwnedFd>,
    /// The request directory.
    pub requests: Option<OwnedFd>,
}

/// A connection to one sandbox's init. Dropping it stops listening.
pub struct InitClient {
    socket: Packets,
    pending: Arc<Pending<Reply>>,
    listener: AbortHandle,
}

impl InitClient {
    /// Waits until the sandbox is closed and can be used.
    pub async fn meet(
        side: InitEnds,
    ) -> Result<(Self, Directories, Option<OwnedFd>), SandboxError> {
        let create = |stage: &str, source| SandboxError::Create { stage: stage.into(), source };
        let socket = Packets::new(side.socket).map_err(|error| create("socket", error))?;
        let (directories, socket_out) = match socket.receive().await {
            Ok(Some((FirstWord::Ready, fds))) => {
                let mut fds = fds.into_iter();
                let mut directory = || fds.next().and_then(fifo::directory);
                let directories = Directories { workspace: directory(), requests: directory() };
                (directories, fds.next())
            }
            Ok(Some((FirstWord::SetUpFailed(failure), _))) => {
                return Err(create(&failure.stage, failure.error()));
            }
            Ok(None) => return Err(create("init went away", io::ErrorKind::BrokenPipe.into())),
            Err(error) => return Err(create("init's first word", error)),
        };
        // From here on there may be user code beside it.
        shut_down_receiving(socket.as_fd()).map_err(|error| create("init's socket", error))?;
        let replies = Replies::new(side.replies).map_err(|error| create("init's words", error))?;
        let pending = Pending::new();
        let listener = tokio::spawn(listen(replies, Arc::clone(&pending))).abort_handle();
        Ok((Self { socket, pending, listener }, directories, socket_out))
    }

    /// Asks, and hands over `fds`; nothing if init is gone.
    pub async fn ask(&self, request: InitRequest, fds: Vec<OwnedFd>) -> Option<Reply> {
        let expected = self.pending.expect();
        let message = ToInit { sequence: expected.sequence(), request };
        self.socket.send(&message, &fds).await.ok()?;
        // They are the other side's now; with a copy here, the end of a pipe would never be seen.
        drop(fds);
        expected.reply().await
    }

    /// Whether nothing can be asked any more.
    pub fn is_gone(&self) -> bool {
        self.listener.is_finished()
    }
}

impl Drop for InitClient {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// Hands on what init says until it is gone.
async fn listen(mut replies: Replies, pending: Arc<Pending<Reply>>) {
    let mut running = Running::default();
    loop {
        match replies.next::<FromInit>().await {
            Ok(Some(FromInit::Reply { sequence, reply: said })) => {
                // What nobody has asked for is not remembered: init could say it for ever.
                let exit = if let InitReply::Started { pid } = &said
                    && pending.is_expected(sequence)
                {
                    Some(running.begin(*pid))
                } else {
                    None
                };
                pending.resolve(sequence, Reply { sequence, said, exit });
            }
            Ok(Some(FromInit::Ended { pid, end })) => running.end(pid, end),
            Ok(None) => break,
            Err(error) => {
                tracing::warn!(%error, "init of a sandbox said something that is no message");
                break;
            }
        }
    }
    pending.close();
}
