//! Terminals of commands: a stream in each direction.
//!
//! What is seen is always taken off the connection, which others use, too: the worker sends no more than 128 KiB that
//! were not acknowledged. And no more is sent than it has said that it can take.

use bytes::Bytes;
use futures::stream;
use proto::execution_v1 as wire;
use tokio::sync::{mpsc, watch};
use tonic::Streaming;
use wire::from_terminal::Message as From;
use wire::to_terminal::Message as To;

use super::processes::{InSession, end, size};
use super::{Call, Error, WorkerClient};
use crate::domain::process::{FromTerminal, ProcessId, ToTerminal};

/// Most bytes typed that are on their way. The worker tells of every 16 KiB that it has passed on.
const AHEAD: u64 = 64 << 10;
/// Most bytes typed in one message.
const PIECE: usize = 16 << 10;
/// What is said and not sent yet.
const QUEUE: usize = 16;

/// One end of a terminal. Dropping both parts leaves it.
pub struct Terminal {
    /// What is seen.
    pub view: TerminalView,
    /// What is said.
    pub keyboard: TerminalKeyboard,
    /// Where the output begins that is to be seen.
    pub offset: u64,
    /// Bytes before that which were wanted and are not kept any more.
    pub missing: u64,
}

/// What is seen of a terminal. Must be read all the time.
pub struct TerminalView {
    stream: Streaming<wire::FromTerminal>,
    taken: watch::Sender<u64>,
}

/// What is said to a terminal.
pub struct TerminalKeyboard {
    said: mpsc::Sender<wire::ToTerminal>,
    typed: u64,
    taken: watch::Receiver<u64>,
}

impl WorkerClient {
    /// Attaches to the terminal of a process, from byte `since` of its output on.
    ///
    /// # Errors
    /// [`Error::NoTerminal`], [`Error::ProcessNotFound`].
    pub async fn attach_terminal(
        &self,
        call: &Call,
        at: InSession<'_>,
        id: ProcessId,
        since: u64,
    ) -> Result<Terminal, Error> {
        let attach = wire::AttachTerminal {
            session_id: at.session.to_string(),
            owner: at.owner.to_string(),
            process_id: id.0,
            since,
        };
        let (said, rest) = mpsc::channel(QUEUE);
        let first = wire::ToTerminal { message: Some(To::Attach(attach)) };
        let rest = stream::unfold(rest, |mut rest| async { Some((rest.recv().await?, rest)) });
        let all = futures::StreamExt::chain(stream::iter([first]), rest);
        let request = call.request(&self.token, all)?;
        let mut stream = self.rpc.clone().processes().attach_terminal(request).await?.into_inner();
        let begins = stream.message().await?.and_then(|first| first.message);
        let Some(From::Attached(wire::TerminalAttached { offset, missing })) = begins else {
            return Err(Error::Malformed("a terminal that does not begin"));
        };
        let (sender, taken) = watch::channel(0);
        let view = TerminalView { stream, taken: sender };
        Ok(Terminal { view, keyboard: TerminalKeyboard { said, typed: 0, taken }, offset, missing })
    }
}

impl TerminalView {
    /// What is seen next; `None` when the worker has nothing more to show.
    ///
    /// # Errors
    /// When the worker is lost.
    pub async fn next(&mut self) -> Result<Option<FromTerminal>, Error> {
        loop {
            let Some(wire::FromTerminal { message }) = self.stream.message().await? else {
                return Ok(None);
            };
            match message.ok_or(Error::Malformed("a frame without content"))? {
                From::InputTaken(bytes) => {
                    self.taken.send_replace(bytes);
                }
                From::Output(wire::TerminalOutput { offset, data }) => {
                    return Ok(Some(FromTerminal::Output(offset, data)));
                }
                From::Ended(ended) => return Ok(Some(FromTerminal::Ended(end(ended)))),
                From::TakenOver(wire::TakenOver {}) => return Ok(Some(FromTerminal::TakenOver)),
                From::Attached(_) => return Err(Error::Malformed("a terminal that begins twice")),
            }
        }
    }
}

impl TerminalKeyboard {
    /// Says something; waits while the terminal takes no more of what is typed. `false` when nobody hears it any more.
    pub async fn say(&mut self, message: ToTerminal) -> bool {
        match message {
            ToTerminal::Input(data) => self.typed(data).await,
            ToTerminal::Resize(to) => self.send(To::Resize(size(to))).await,
            ToTerminal::Acknowledged(offset) => self.send(To::Acknowledged(offset)).await,
        }
    }

    async fn typed(&mut self, mut data: Bytes) -> bool {
        while !data.is_empty() {
            let piece = data.split_to(data.len().min(PIECE));
            let latest = (self.typed + piece.len() as u64).saturating_sub(AHEAD);
            if self.taken.wait_for(|taken| *taken >= latest).await.is_err() {
                return false;
            }
            self.typed += piece.len() as u64;
            if !self.send(To::Input(piece)).await {
                return false;
            }
        }
        true
    }

    async fn send(&self, message: To) -> bool {
        self.said.send(wire::ToTerminal { message: Some(message) }).await.is_ok()
    }
}
