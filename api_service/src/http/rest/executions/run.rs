//! `POST /v1/code_interpreter/run`.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};

use crate::domain::execution::{Execution, ExecutionState, FinishedRun};
use crate::domain::idempotency::Reservation;
use crate::domain::ids::{ExecutionId, SessionId, UserId};
use crate::domain::language::LanguageName;
use crate::domain::report::Report;
use crate::domain::wishes::AnswerForm;
use crate::http::extract::{AnswerRoom, CurrentCaller, Json, OptionalKey, RequestId};
use crate::http::failure::Failure;
use crate::http::rest::executions::run_answer::AnyRunAnswer;
use crate::http::rest::executions::run_json::RunBody;
use crate::http::rest::idempotent::{Answer, idempotent, reservation};
use crate::http::rest::response_body;
use crate::services::Error;
use crate::services::executions::{End, Executions, Started};
use crate::state::AppState;

/// Run code and wait for its end. A program that fails is an outcome, not an error: the answer is
/// 200 and `status` says how it ended. Needs the scope `run`.
pub(in crate::http::rest) async fn run(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    OptionalKey(key): OptionalKey,
    RequestId(request_id): RequestId,
    room: AnswerRoom,
    body: Json<RunBody>,
) -> Result<HttpResponse, Failure> {
    let run =
        body.value.parse(&state.rules, state.workers.offer().as_ref()).map_err(Failure::Invalid)?;
    let id = ExecutionId::generate();
    let reservation = reservation(key, &caller, "run", &body.bytes)
        .map(|it| Reservation { execution: Some(id.clone()), ..it });
    let (executions, idempotency) = (state.executions.clone(), state.idempotency.clone());
    let form = run.wishes.form;
    let (user, keyed, own_room) = (caller.user.clone(), reservation.clone(), room.clone());
    let work = async move {
        let has_key = reservation.is_some();
        let work = async move {
            let session = run.session.clone();
            let started = executions.start(&user, id, run, &request_id).await?;
            let Started { id, language, follower, unwanted } = started;
            // The rule of this route: a caller who goes away wants its run no more, unless it has a key to
            // come back with.
            let _cancel_on_drop = (!has_key).then(|| unwanted.drop_guard());
            match follower.end().await {
                End::Finished(report) => {
                    answer(form, id, session, language, report, &own_room).await
                }
                End::Failed(error) => Err(error),
            }
        };
        idempotent(&idempotency, reservation, StatusCode::OK, work).await
    };
    let Some(reservation) = keyed else {
        return Ok(work.await?.respond_in(room).await);
    };
    match state.idempotency.to_the_end(&reservation, work).await? {
        Err(Failure::Service(Error::KeyUnknown(Some(began)))) => {
            let known = recalled(form, &state.executions, &caller.user, &began, &room).await?;
            let body = known.ok_or(Error::KeyUnknown(Some(began)))?;
            Ok(Answer::replayed(StatusCode::OK, body).respond_in(room).await)
        }
        done => Ok(done?.respond_in(room).await),
    }
}

async fn answer(
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
    let ExecutionState::Finished(FinishedRun { report: Some(report), .. }) = execution.state else {
        return Ok(None);
    };
    let Execution { id, session, language, .. } = execution;
    answer(form, id, session, language, Arc::new(*report), room).await.map(Some)
}
