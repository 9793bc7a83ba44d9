//! `POST /v1/code_interpreter/run`: answered when it has ended, as events while it goes on, or at once.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};
use tokio::sync::oneshot;

use super::telling::Teller;
use crate::domain::execution::{Execution, ExecutionState, FinishedRun};
use crate::domain::idempotency::Reservation;
use crate::domain::ids::{ExecutionId, SessionId, UserId};
use crate::domain::language::LanguageName;
use crate::domain::report::Report;
use crate::domain::run::RunRequest;
use crate::domain::wishes::AnswerForm;
use crate::http::extract::{
    AnswerRoom, CurrentCaller, Json, OptionalKey, RequestId, RespondAsync, Wanted,
};
use crate::http::failure::Failure;
use crate::http::rest::executions::run_answer::AnyRunAnswer;
use crate::http::rest::executions::run_json::RunBody;
use crate::http::rest::idempotent::{Answer, idempotent, reservation};
use crate::http::rest::response_body;
use crate::services::Error;
use crate::services::executions::{End, Executions, Follower, Keep, Started};
use crate::services::idempotency::Idempotency;
use crate::state::AppState;

/// Run code and wait for its end. A program that fails is an outcome, not an error: the answer is
/// 200 and `status` says how it ended. Needs the scope `run`.
pub(in crate::http::rest) async fn run(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    OptionalKey(key): OptionalKey,
    RequestId(request_id): RequestId,
    (RespondAsync(preferred), wanted): (RespondAsync, Wanted),
    room: AnswerRoom,
    mut body: Json<RunBody>,
) -> Result<HttpResponse, Failure> {
    let detached = preferred || body.value.detached.unwrap_or_default();
    let webhook = body.value.webhook.take();
    let of = state.clone();
    let parse = move |body: RunBody| body.parse(&of.rules, of.workers.offer().as_ref());
    let body = body.parsed(parse).await?;
    let webhook = webhook.map(|it| it.check(&state.webhooks, detached)).transpose()?;
    let id = ExecutionId::generate();
    let reservation = reservation(key, &caller, "run", &[&body.bytes])
        .map(|it| Reservation { execution: Some(id.clone()), ..it });
    let job = Job {
        executions: state.executions.clone(),
        idempotency: state.idempotency.clone(),
        user: caller.user,
        id,
        run: body.value,
        request_id,
        room,
        reservation,
    };
    match (detached, wanted) {
        (true, _) => {
            let webhook = webhook.map(|webhook| (state.webhooks.clone(), webhook));
            job.detached(state.detached.clone(), preferred, webhook).await
        }
        (false, Wanted::EventStream) => job.streamed().await,
        (false, Wanted::Json) => job.answered().await,
    }
}

/// A run to be done, in one way or another.
pub(super) struct Job {
    pub(super) executions: Executions,
    pub(super) idempotency: Idempotency,
    pub(super) user: UserId,
    pub(super) id: ExecutionId,
    pub(super) run: RunRequest,
    pub(super) request_id: String,
    pub(super) room: AnswerRoom,
    pub(super) reservation: Option<Reservation>,
}

/// For whoever reads along while an answer is waited for.
pub(super) struct Begun {
    pub(super) follower: Follower,
    pub(super) teller: Teller,
}

/// Finds the answer of a run that ended while nobody could be told.
pub(super) struct Recall {
    form: AnswerForm,
    executions: Executions,
    user: UserId,
    room: AnswerRoom,
}

impl Recall {
    /// What came of a request with a key, or what the history has where nobody knows that any more.
    pub(super) async fn or(self, done: Result<Answer, Failure>) -> Result<Answer, Failure> {
        let Err(Failure::Service(Error::KeyUnknown(Some(began)))) = done else {
            return done;
        };
        let Self { form, executions, user, room } = self;
        let known = recalled(form, &executions, &user, &began, &room).await?;
        Ok(Answer::replayed(StatusCode::OK, known.ok_or(Error::KeyUnknown(Some(began)))?))
    }
}

impl Job {
    async fn answered(self) -> Result<HttpResponse, Failure> {
        let room = self.room.clone();
        let Some(reservation) = self.reservation.clone() else {
            return Ok(self.until_answered(None).await?.respond_in(room).await);
        };
        let (idempotency, recall) = (self.idempotency.clone(), self.recall());
        let done = idempotency.to_the_end(&reservation, self.until_answered(None)).await?;
        Ok(recall.or(done).await?.respond_in(room).await)
    }

    pub(super) fn recall(&self) -> Recall {
        Recall {
            form: self.run.wishes.form,
            executions: self.executions.clone(),
            user: self.user.clone(),
            room: self.room.clone(),
        }
    }

    /// Runs it to its end, and gives the answer, which is kept under the key if there is one. `begun` is told when it
    /// has begun, if it does.
    pub(super) async fn until_answered(
        self,
        begun: Option<oneshot::Sender<Begun>>,
    ) -> Result<Answer, Failure> {
        let Self { executions, idempotency, user, id, run, request_id, room, reservation } = self;
        let (has_key, form) = (reservation.is_some(), run.wishes.form);
        let keep = if begun.is_some() { Keep::Log } else { Keep::Nothing };
        let work = async move {
            let session = run.session.clone();
            let started = executions.start(&user, id, run, &request_id, keep).await?;
            let Started { id, language, follower, unwanted } = started;
            // The rule of this route: a caller who goes away wants its run no more, unless it has a key to
            // come back with.
            let _cancel_on_drop = (!has_key).then(|| unwanted.drop_guard());
            if let Some(begun) = begun {
                let (id, session, language) = (id.clone(), session.clone(), language.clone());
                let (follower, room) = (follower.clone(), room.clone());
                let teller = Teller { id, session, language, form, request_id, room };
                // Whoever asked has gone, and may come back.
                let _ = begun.send(Begun { follower, teller });
            }
            match follower.end().await {
                End::Finished(report) => answer(form, id, session, language, report, &room).await,
                End::Failed(error) => Err(error),
            }
        };
        idempotent(&idempotency, reservation, StatusCode::OK, work).await
    }
}

/// The answer of a run that ended with `report`, in the form that was asked for.
pub(super) async fn answer(
    form: AnswerForm,
    id: ExecutionId,
    session: Option<SessionId>,
    language: LanguageName,
    report: Arc<Report>,
    room: &AnswerRoom,
) -> Result<Bytes, Error> {
    let length = AnyRunAnswer::length(form, &report);
    room.enter(length).await;
    let report = Arc::unwrap_or_clone(report);
    let make = move || AnyRunAnswer::of(form, &id, session.as_ref(), &language, report);
    response_body::json(length, make).await
}

/// The answer of a run that ended while nobody could be told: what the history has of it.
async fn recalled(
    form: AnswerForm,
    executions: &Executions,
    user: &UserId,
    id: &ExecutionId,
    room: &AnswerRoom,
) -> Result<Option<Bytes>, Error> {
    let execution = match executions.get(user, id).await {
        Err(Error::ExecutionNotFound) => return Ok(None),
        found => found?,
    };
    match execution.state {
        ExecutionState::Finished(FinishedRun { report: Some(_), .. }) => {
            remembered(form, execution, room).await.map(Some)
        }
        _ => Ok(None),
    }
}

/// The answer of an execution that has ended, as far as the history has it; where that is not all, the answer says
/// so.
pub(super) async fn remembered(
    form: AnswerForm,
    execution: Execution,
    room: &AnswerRoom,
) -> Result<Bytes, Error> {
    let Execution { id, session, language, state, .. } = execution;
    match state {
        ExecutionState::Finished(FinishedRun { report: Some(report), .. }) => {
            answer(form, id, session, language, Arc::new(*report), room).await
        }
        ExecutionState::Cancelled => Err(Error::ExecutionCancelled(id)),
        ExecutionState::Queued
        | ExecutionState::Running
        | ExecutionState::Unknown
        | ExecutionState::Finished(FinishedRun { report: None, .. }) => {
            Err(Error::ExecutionUnknown(id, None))
        }
    }
}
