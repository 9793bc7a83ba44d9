//! What is done for a client: one task for each execution.

use std::future::pending;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::outgoing::Outgoing;
use crate::domain::caller::Caller;
use crate::domain::ids::ExecutionId;
use crate::domain::run::Input;
use crate::domain::wishes::AnswerForm;
use crate::http::extract::{AnswerBudget, AnswerRoom, BodyBudget};
use crate::http::failure::Failure;
use crate::http::memory_budget::MemoryPermit;
use crate::http::rest::executions::events::ended;
use crate::http::rest::executions::run_json::RunBody;
use crate::http::rest::executions::telling::{FINISHED, Teller, Told, problem};
use crate::http::rest::executions::webhook::deliver;
use crate::services::Error;
use crate::services::authenticator::Authenticator;
use crate::services::executions::{Follower, Keep, Started};
use crate::state::AppState;

/// What all executions of a socket use.
#[derive(Clone)]
pub(super) struct Service {
    pub(super) state: AppState,
    pub(super) authenticator: Authenticator,
    pub(super) bodies: BodyBudget,
    pub(super) answers: AnswerBudget,
    /// Of the request that opened the socket.
    pub(super) request_id: String,
}

/// What a task does for an execution.
pub(super) enum Work {
    /// Runs code, which takes so much memory meanwhile.
    Run(Box<RunBody>, MemoryPermit),
    /// Tells what happens after a number.
    Follow(u64),
}

/// One execution of a socket.
pub(super) struct Task {
    pub(super) service: Service,
    pub(super) caller: Arc<Caller>,
    pub(super) outgoing: Outgoing,
    /// As the client calls it.
    pub(super) name: String,
    pub(super) id: ExecutionId,
    /// What the client writes to it.
    pub(super) inputs: mpsc::Receiver<Input>,
    /// Fires when the client wants it to end.
    pub(super) cancel: CancellationToken,
}

impl Task {
    /// To the end of the execution, which is told in any case. Dropped, what it runs is unwanted, unless it is
    /// detached. Gives the name under which it stood.
    pub(super) async fn carry_out(mut self, work: Work) -> String {
        let done = match work {
            Work::Run(body, memory) => self.run(*body, memory).await,
            Work::Follow(after) => self.follow(after).await,
        };
        if let Err(failure) = done {
            let data = problem(&failure, &self.service.request_id);
            // One that has gone is told nothing.
            let _ =
                self.outgoing.tell(&self.name, Told { number: None, name: FINISHED, data }).await;
        }
        self.name
    }

    async fn run(&mut self, mut body: RunBody, _memory: MemoryPermit) -> Result<(), Failure> {
        let Service { state, request_id, .. } = self.service.clone();
        let room = self.room()?;
        let detached = body.detached.unwrap_or_default();
        let webhook = body.webhook.take().map(|it| it.check(&state.webhooks, detached));
        let webhook = webhook.transpose()?;
        let offer = state.workers.offer();
        let run = body.parse(&state.rules, offer.as_ref()).map_err(Failure::Invalid)?;
        let (session, form, user) = (run.session.clone(), run.wishes.form, &self.caller.user);
        let id = self.id.clone();
        let started = if detached {
            state.detached.start(user, id, run, &request_id).await?
        } else {
            state.executions.start(user, id, run, &request_id, Keep::Log).await?
        };
        let Started { id, language, follower, unwanted } = started;
        // The same rule as for a request that waits.
        let _presence = (!detached).then(|| unwanted.drop_guard());
        let teller = Teller { id, session, language, form, request_id, room };
        if let Some(webhook) = webhook {
            deliver(&state.webhooks, webhook, follower.clone(), teller.clone());
        }
        self.tell_all(follower, teller).await;
        Ok(())
    }

    async fn follow(&mut self, after: u64) -> Result<(), Failure> {
        let Service { state, request_id, .. } = self.service.clone();
        let (room, user) = (self.room()?, &self.caller.user);
        let found = state.executions.get(user, &self.id).await?;
        let (id, session, language) = (found.id, found.session, found.language);
        let form = AnswerForm::default();
        let teller = Teller { id, session, language, form, request_id, room };
        match state.executions.follow(user, &teller.id, after).await {
            Ok(follower) => self.tell_all(follower.with_end(), teller).await,
            Err(Error::ExecutionNotRunning) => {
                let told = ended(&state.executions, user, &teller, after).await?;
                for told in told {
                    if self.outgoing.tell(&self.name, told).await.is_err() {
                        break;
                    }
                }
            }
            Err(error) => return Err(Failure::from(error)),
        }
        Ok(())
    }

    fn room(&self) -> Result<AnswerRoom, Failure> {
        AnswerRoom::of(&self.service.answers, Some(self.caller.user.clone()))
    }

    /// Tells what happens to the end, and meanwhile does what the client wants of it.
    async fn tell_all(&mut self, mut follower: Follower, teller: Teller) {
        let Self { service, caller, outgoing, name, id, inputs, cancel } = self;
        let Service { state, request_id, .. } = service;
        let (executions, user) = (&state.executions, &caller.user);
        let telling = async {
            while let Some(followed) = follower.next().await {
                if outgoing.tell(name, teller.tell(followed).await).await.is_err() {
                    return;
                }
            }
        };
        let writing = async {
            while let Some(input) = inputs.recv().await {
                if let Err(error) = executions.write_input(user, id, &input, request_id).await {
                    outgoing.complain(Some(name), &error.into(), request_id).await;
                }
            }
            pending::<()>().await;
        };
        let ending = async {
            cancel.cancelled().await;
            match executions.cancel(user, id, request_id).await {
                // It has ended by itself, which is told.
                Ok(_) | Err(Error::ExecutionNotRunning | Error::ExecutionNotFound) => {}
                Err(error) => outgoing.complain(Some(name), &error.into(), request_id).await,
            }
            pending::<()>().await;
        };
        tokio::select! {
            () = telling => {}
            () = writing => {}
            () = ending => {}
        }
    }
}
