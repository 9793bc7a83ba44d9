//! A terminal over a WebSocket, in the subprotocol `crucible.tty.v1`: binary frames are bytes both ways, text frames
//! are JSON. What is said to a terminal and what is seen of it do not wait for each other.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::pin;
use std::time::Duration;

use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseCode, CloseReason, Session};
use tokio::sync::Notify;
use tokio::time::{Instant, interval_at};

use super::tty_frame::{self, Said};
use crate::domain::process::{FromTerminal, ToTerminal};
use crate::http::failure::Failure;
use crate::services::processes::{OpenKeyboard, OpenTerminal, OpenView};

/// The subprotocol.
pub const PROTOCOL: &str = "crucible.tty.v1";
/// Largest frame that is taken, in bytes.
pub const MAX_FRAME: usize = 64 << 10;
/// How often the other side is asked whether it is there; one that has not answered by the next time is not.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Somebody else has attached to the terminal.
const TAKEN_OVER: u16 = 4001;
/// The frame makes no sense.
const BAD_FRAME: u16 = 4400;
/// There is no good credential any more.
const UNAUTHENTICATED: u16 = 4401;

/// Why a socket is closed.
enum End {
    /// With this code, and in words.
    Close(CloseCode, String),
    /// The other side has gone.
    Gone,
}

/// Shows `terminal` on the socket until either is over, or the other side `may` do so no more, which is asked now and
/// then. The process goes on without.
pub async fn serve(
    terminal: OpenTerminal,
    mut socket: Session,
    frames: AggregatedMessageStream,
    may: impl AsyncFn() -> bool,
) {
    let OpenTerminal { view, keyboard, offset, missing } = terminal;
    let sent = Cell::new(offset);
    let first = tty_frame::attached(offset, missing);
    if socket.text(first).await.is_err() {
        return;
    }
    let end = tokio::select! {
        end = show(view, socket.clone(), &sent) => end,
        end = listen(keyboard, socket.clone(), frames, (&sent, may)) => end,
    };
    if let End::Close(code, description) = end {
        close(socket, code, description).await;
    }
}

/// Closes a socket on which nothing can be done, and says why.
pub async fn refuse(mut socket: Session, failure: &Failure, problem: String) {
    // It may have gone.
    let _ = socket.text(problem).await;
    let status = failure.meaning().code.row().status.as_u16();
    close(socket, CloseCode::Other(4000 + status), failure.to_string()).await;
}

async fn close(socket: Session, code: CloseCode, description: String) {
    let _ = socket.close(Some(CloseReason { code, description: Some(description) })).await;
}

/// Sends what is seen; all before byte `sent` of it is on its way.
async fn show(view: OpenView, mut socket: Session, sent_to: &Cell<u64>) -> End {
    let seen = Seen::default();
    let watching = seen.take_all(view);
    let telling = async {
        let mut goes_on = None;
        loop {
            let sent = match seen.next().await {
                FromTerminal::Output(offset, data) => {
                    let jumped = goes_on.is_some_and(|at| at != offset);
                    goes_on = Some(offset + data.len() as u64);
                    if jumped && socket.text(tty_frame::jump(offset)).await.is_err() {
                        return End::Gone;
                    }
                    let end = offset + data.len() as u64;
                    let sent = socket.binary(data).await;
                    sent_to.set(end);
                    sent
                }
                FromTerminal::InputTaken(_) => Ok(()),
                FromTerminal::TakenOver => {
                    let why = "somebody else is attached to the terminal now".to_owned();
                    return End::Close(CloseCode::Other(TAKEN_OVER), why);
                }
                FromTerminal::Ended(end) => {
                    // It may have gone, which closing it will show as well.
                    let _ = socket.text(tty_frame::exit(&end)).await;
                    return End::Close(CloseCode::Normal, "the process has ended".to_owned());
                }
            };
            if sent.is_err() {
                return End::Gone;
            }
        }
    };
    let (lost, end) = {
        let (mut watching, mut telling) = (pin!(watching), pin!(telling));
        tokio::select! {
            biased;
            end = &mut telling => (None, Some(end)),
            lost = &mut watching => match lost {
                // All was seen; the last of it is on its way.
                None => (None, Some(telling.await)),
                lost => (lost, None),
            },
        }
    };
    end.unwrap_or_else(|| lost.unwrap_or(End::Gone))
}

/// What was seen of a terminal and is not sent yet. It is always taken from the worker, whose connection is for others
/// as well; more than a window of what was not acknowledged does not come.
#[derive(Default)]
struct Seen {
    waiting: RefCell<VecDeque<FromTerminal>>,
    more: Notify,
}

impl Seen {
    /// Takes everything to the end of the terminal; gives why that does not come.
    async fn take_all(&self, mut view: OpenView) -> Option<End> {
        loop {
            let seen = match view.next().await {
                Ok(Some(seen)) => seen,
                Ok(None) => {
                    let why = "the session has ended".to_owned();
                    return Some(End::Close(CloseCode::Away, why));
                }
                Err(error) => return Some(End::Close(CloseCode::Error, error.to_string())),
            };
            let is_last = matches!(seen, FromTerminal::Ended(_) | FromTerminal::TakenOver);
            self.add(seen);
            self.more.notify_one();
            if is_last {
                return None;
            }
        }
    }

    /// Puts output behind other output: a frame for each key would take far more room than it has bytes.
    fn add(&self, seen: FromTerminal) {
        let mut waiting = self.waiting.borrow_mut();
        if let (Some(FromTerminal::Output(offset, there)), FromTerminal::Output(at, data)) =
            (waiting.back_mut(), &seen)
            && *offset + there.len() as u64 == *at
            && there.len() + data.len() <= MAX_FRAME
        {
            *there = [&**there, &**data].concat().into();
            return;
        }
        waiting.push_back(seen);
    }

    async fn next(&self) -> FromTerminal {
        loop {
            if let Some(seen) = self.waiting.borrow_mut().pop_front() {
                return seen;
            }
            self.more.notified().await;
        }
    }
}

async fn listen(
    mut keyboard: OpenKeyboard,
    mut socket: Session,
    mut frames: AggregatedMessageStream,
    (sent, may): (&Cell<u64>, impl AsyncFn() -> bool),
) -> End {
    let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    let mut heard = true;
    loop {
        let frame = tokio::select! {
            frame = frames.recv() => frame,
            _ = heartbeat.tick() => {
                if !std::mem::take(&mut heard) || socket.ping(b"").await.is_err() {
                    return End::Gone;
                }
                if !may().await {
                    let why = "your credential is not good any more".to_owned();
                    return End::Close(CloseCode::Other(UNAUTHENTICATED), why);
                }
                continue;
            }
        };
        heard = true;
        let message = match frame {
            Some(Ok(AggregatedMessage::Binary(data))) => ToTerminal::Input(data),
            Some(Ok(AggregatedMessage::Text(text))) => match tty_frame::read(&text) {
                Ok(Said::Resize(size)) => ToTerminal::Resize(size),
                // What was not even sent cannot have been seen, and would be held here.
                Ok(Said::Acknowledged(offset)) => ToTerminal::Acknowledged(offset.min(sent.get())),
                Err(why) => return End::Close(CloseCode::Other(BAD_FRAME), why),
            },
            Some(Ok(AggregatedMessage::Ping(data))) => {
                if socket.pong(&data).await.is_err() {
                    return End::Gone;
                }
                continue;
            }
            Some(Ok(AggregatedMessage::Pong(_))) => continue,
            Some(Ok(AggregatedMessage::Close(_))) => {
                return End::Close(CloseCode::Normal, String::new());
            }
            Some(Err(error)) => return End::Close(CloseCode::Protocol, error.to_string()),
            None => return End::Gone,
        };
        if !keyboard.say(message).await {
            // What is seen will say why.
            std::future::pending::<()>().await;
        }
    }
}
