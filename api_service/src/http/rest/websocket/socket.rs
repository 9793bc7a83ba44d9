//! One connection, from its credential to its end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use actix_ws::{
    AggregatedMessage as Message, CloseCode, CloseReason, Message as Piece, MessageStream,
    ProtocolError,
};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::executions::{Service, Task, Work};
use super::frames::{Frame, Ref, parse};
use super::outgoing::{Outgoing, complaint};
use crate::domain::caller::Caller;
use crate::domain::field_error::FieldError;
use crate::domain::ids::ExecutionId;
use crate::domain::run::Input;
use crate::domain::scope::{Access, Scope};
use crate::http::failure::Failure;
use crate::services::Error;

/// Largest frame of a client whom we know, in bytes: code of 1 MiB, and some files. More goes by POST.
const MAX_FRAME: usize = 2 << 20;
/// Largest frame of one whom we do not know yet.
const MAX_FIRST_FRAME: usize = 16 << 10;
/// How long the first frame may take, where no header has said who it is.
const FIRST_FRAME: Duration = Duration::from_secs(5);
/// How often it is asked whether the client is still there, and still may be.
const BEAT: Duration = Duration::from_secs(15);
/// A client from which nothing was heard for so long is gone.
const SILENCE: Duration = Duration::from_secs(45);
/// Executions of one socket that go on at once.
const MAX_EXECUTIONS: usize = 16;
/// Answers to bad frames that wait.
const WAITING: usize = 32;
/// Inputs of an execution that wait. Each may be a frame.
const WAITING_INPUTS: usize = 4;
/// Frames that are taken in a [`WINDOW`]: what belongs to others who share the thread goes on in between.
const FRAMES: u32 = 64;
const WINDOW: Duration = Duration::from_millis(50);

/// Beside the codes of the standard: no good credential, or not any more.
const UNAUTHENTICATED: CloseCode = CloseCode::Other(4401);
/// There was no credential in time.
const TOO_LATE: CloseCode = CloseCode::Other(4408);
/// The client does not read what it is sent.
const SLOW_READER: CloseCode = CloseCode::Other(4409);

/// A connection.
pub(super) struct Socket {
    service: Service,
    outgoing: Outgoing,
    tasks: JoinSet<Ref>,
    going: HashMap<Ref, Going>,
    /// Answers that do not belong to an execution. They are few, or the client does not read.
    replies: mpsc::Sender<String>,
}

/// An execution that goes on, as far as the client can do something with it.
struct Going {
    inputs: mpsc::Sender<Input>,
    cancel: CancellationToken,
}

/// Who the client is, and how that is known.
struct Proof {
    credential: String,
    caller: Arc<Caller>,
}

impl Socket {
    pub(super) fn new(service: Service, outgoing: Outgoing) -> Self {
        let (replies, mut waiting) = mpsc::channel::<String>(WAITING);
        let sending = outgoing.clone();
        actix_web::rt::spawn(async move {
            while let Some(text) = waiting.recv().await {
                if sending.send(text).await.is_err() {
                    break;
                }
            }
        });
        Self { service, outgoing, tasks: JoinSet::new(), going: HashMap::new(), replies }
    }

    /// To its end. What it runs is unwanted then, unless it is detached.
    pub(super) async fn serve(mut self, incoming: MessageStream, known: Option<(Caller, String)>) {
        let reason = self.talk(incoming, known).await;
        self.tasks.abort_all();
        self.outgoing.close(reason).await;
    }

    async fn talk(
        &mut self,
        incoming: MessageStream,
        known: Option<(Caller, String)>,
    ) -> CloseReason {
        let mut incoming = incoming.max_frame_size(MAX_FIRST_FRAME);
        let (caller, credential) = match known {
            Some(known) => known,
            None => match timeout(FIRST_FRAME, self.first_frame(&mut incoming)).await {
                Ok(Ok(known)) => known,
                Ok(Err(reason)) => return reason,
                Err(_) => return closing(TOO_LATE, "send your credential within 5 seconds"),
            },
        };
        let mut proof = Proof { credential, caller: Arc::new(caller) };
        let incoming = incoming.max_frame_size(MAX_FRAME).aggregate_continuations();
        let mut incoming = incoming.max_continuation_size(MAX_FRAME);
        let (stopping, lost) = (self.service.state.closing.clone(), self.outgoing.lost());
        let mut beats = interval(BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        let (mut window, mut frames) = (Instant::now() + WINDOW, 0);
        loop {
            if frames == FRAMES {
                sleep_until(window).await;
            }
            if Instant::now() >= window {
                (window, frames) = (Instant::now() + WINDOW, 0);
            }
            let idle = self.tasks.is_empty();
            tokio::select! {
                message = incoming.recv() => {
                    heard = Instant::now();
                    frames += 1;
                    if let Err(reason) = self.receive(message, &mut proof).await {
                        return reason;
                    }
                }
                Some(done) = self.tasks.join_next() => {
                    if let Ok(name) = done {
                        self.going.remove(&name);
                    }
                }
                _ = beats.tick() => {
                    if heard.elapsed() > SILENCE {
                        return closing(CloseCode::Away, "nothing was heard of you");
                    }
                    if let Err(error) = self.service.authenticator.recognise(&proof.credential).await
                        && !error.is_ours()
                    {
                        return closing(UNAUTHENTICATED, "your credential is not good any more");
                    }
                    self.outgoing.ping().await;
                }
                // What runs may come to its end meanwhile.
                () = stopping.cancelled(), if idle => {
                    return closing(CloseCode::Away, "the gateway is stopping");
                }
                () = lost.cancelled() => {
                    return closing(SLOW_READER, "you do not read what you are sent");
                }
            }
        }
    }

    /// Who it is, by the first frame.
    async fn first_frame(
        &self,
        incoming: &mut MessageStream,
    ) -> Result<(Caller, String), CloseReason> {
        loop {
            let text = match incoming.recv().await {
                Some(Ok(Piece::Text(text))) => text,
                Some(Ok(Piece::Ping(payload))) => {
                    self.outgoing.pong(&payload).await;
                    continue;
                }
                Some(Ok(Piece::Pong(_) | Piece::Nop)) => continue,
                Some(Err(ProtocolError::Overflow)) => return Err(too_large()),
                _ => return Err(closing(UNAUTHENTICATED, "send {\"op\": \"auth\"} first")),
            };
            let Ok(Frame::Auth { token }) = parse(&text) else {
                return Err(closing(UNAUTHENTICATED, "send {\"op\": \"auth\"} first"));
            };
            let caller = self.recognise(&token).await?;
            return Ok((caller, token));
        }
    }

    async fn recognise(&self, token: &str) -> Result<Caller, CloseReason> {
        match self.service.authenticator.recognise(token).await {
            Ok(caller) => {
                self.reply(String::from(r#"{"event":"authenticated"}"#))?;
                Ok(caller)
            }
            Err(error) if error.is_ours() => {
                tracing::error!(%error, "a credential could not be looked at");
                Err(closing(CloseCode::Error, "something went wrong on our side"))
            }
            Err(_) => Err(closing(UNAUTHENTICATED, "the credential is not valid")),
        }
    }

    /// A newer credential of the same user, before the one that there is expires.
    async fn prove_again(&self, token: String, proof: &mut Proof) -> Result<(), CloseReason> {
        let caller = self.recognise(&token).await?;
        if caller.user != proof.caller.user {
            return Err(closing(UNAUTHENTICATED, "the credential is another user's"));
        }
        *proof = Proof { credential: token, caller: Arc::new(caller) };
        Ok(())
    }

    async fn receive(
        &mut self,
        message: Option<Result<Message, ProtocolError>>,
        proof: &mut Proof,
    ) -> Result<(), CloseReason> {
        match message {
            Some(Ok(Message::Text(text))) => {
                let done = match parse(&text) {
                    Ok(Frame::Auth { token }) => return self.prove_again(token, proof).await,
                    Ok(frame) => self.act(frame, text.len(), &proof.caller),
                    Err(wrong) => Err(wrong),
                };
                if let Err((name, failure)) = done {
                    let request_id = &self.service.request_id;
                    self.reply(complaint(name.as_deref(), &failure, request_id))?;
                }
                Ok(())
            }
            Some(Ok(Message::Binary(_))) => Err(closing(CloseCode::Unsupported, "frames are text")),
            Some(Ok(Message::Ping(payload))) => {
                self.outgoing.pong(&payload).await;
                Ok(())
            }
            Some(Ok(Message::Pong(payload))) => {
                self.outgoing.answered(&payload);
                Ok(())
            }
            Some(Ok(Message::Close(reason))) => {
                Err(reason.unwrap_or_else(|| CloseReason::from(CloseCode::Normal)))
            }
            Some(Err(ProtocolError::Overflow)) => Err(too_large()),
            Some(Err(_)) => Err(CloseReason::from(CloseCode::Protocol)),
            None => Err(CloseReason::from(CloseCode::Away)),
        }
    }

    /// Does what a frame says, or begins it. Never waits: what is answered could not be read meanwhile.
    fn act(
        &mut self,
        frame: Frame,
        length: usize,
        caller: &Arc<Caller>,
    ) -> Result<(), (Option<Ref>, Failure)> {
        let needs = match &frame {
            Frame::Auth { .. } | Frame::Ping => Access::SignedIn,
            Frame::Execute { .. } | Frame::Stdin { .. } | Frame::Cancel { .. } => {
                Access::Needs(Scope::Run)
            }
            Frame::Follow { .. } => Access::Needs(Scope::Read),
        };
        let missing = caller.missing_for(needs).map(|scope| Error::ScopeMissing(scope).into());
        match frame {
            Frame::Ping => self.say(r#"{"event":"pong"}"#),
            Frame::Auth { .. } => Ok(()),
            Frame::Execute { name, body } => {
                let begun = missing.map_or(Ok(()), Err).and_then(|()| {
                    let mut memory = self.service.bodies.0.enter(Some(caller.user.clone()));
                    memory.grow_to(length).map_err(|_| Failure::BodiesFull)?;
                    let id = ExecutionId::generate();
                    self.begin(name.clone(), id, Work::Run(body, memory), caller)
                });
                begun.map_err(|failure| (Some(name), failure))
            }
            Frame::Follow { name, id, after } => {
                let begun = missing
                    .map_or(Ok(()), Err)
                    .and_then(|()| self.begin(name.clone(), id, Work::Follow(after), caller));
                begun.map_err(|failure| (Some(name), failure))
            }
            Frame::Stdin { name, input } => {
                let written = missing.map_or(Ok(()), Err).and_then(|()| {
                    let going = self.going.get(&name).ok_or(Error::ExecutionNotRunning)?;
                    let full = |_| Error::InputFull(Duration::from_secs(1));
                    Ok(going.inputs.try_send(input).map_err(full)?)
                });
                written.map_err(|failure: Failure| (Some(name), failure))
            }
            Frame::Cancel { name } => {
                let told = missing.map_or(Ok(()), Err).and_then(|()| {
                    let going = self.going.get(&name).ok_or(Error::ExecutionNotRunning)?;
                    going.cancel.cancel();
                    Ok(())
                });
                told.map_err(|failure: Failure| (Some(name), failure))
            }
        }
    }

    fn begin(
        &mut self,
        name: Ref,
        id: ExecutionId,
        work: Work,
        caller: &Arc<Caller>,
    ) -> Result<(), Failure> {
        if self.service.state.closing.is_cancelled() {
            return Err(Error::GatewayStopping.into());
        }
        let wrong = |msg: &str| Failure::Invalid(vec![FieldError::new("ref", msg)]);
        if self.going.contains_key(&name) {
            return Err(wrong("must be another: an execution with this one goes on"));
        }
        if self.going.len() >= MAX_EXECUTIONS {
            let most = format!("must wait: {MAX_EXECUTIONS} executions go on on this socket");
            return Err(wrong(&most));
        }
        let (sender, inputs) = mpsc::channel(WAITING_INPUTS);
        let cancel = CancellationToken::new();
        let going = Going { inputs: sender, cancel: cancel.clone() };
        self.going.insert(name.clone(), going);
        let (service, outgoing) = (self.service.clone(), self.outgoing.clone());
        let caller = caller.clone();
        let task = Task { service, caller, outgoing, name, id, inputs, cancel };
        self.tasks.spawn_local(task.carry_out(work));
        Ok(())
    }

    fn say(&self, text: &str) -> Result<(), (Option<Ref>, Failure)> {
        // Who asks for more than it reads is not answered; it is ended when that lasts.
        let _ = self.replies.try_send(text.to_owned());
        Ok(())
    }

    fn reply(&self, text: String) -> Result<(), CloseReason> {
        let full = |_| closing(SLOW_READER, "you do not read what you are sent");
        self.replies.try_send(text).map_err(full)
    }
}

fn closing(code: CloseCode, description: &str) -> CloseReason {
    CloseReason { code, description: Some(description.to_owned()) }
}

fn too_large() -> CloseReason {
    closing(CloseCode::Size, "a frame may have 2 MiB; send more by POST")
}
