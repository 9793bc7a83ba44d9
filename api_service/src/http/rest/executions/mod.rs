//! `/v1/code_interpreter/executions`.

pub mod artifact;
pub mod artifact_json;
pub mod detached;
pub mod diagnostic_json;
pub mod events;
pub mod full_output;
pub mod input;
pub mod json;
pub mod list_query;
pub mod output;
pub mod report;
pub mod run;
pub mod run_answer;
pub mod run_json;
mod streamed;
pub(in crate::http::rest) mod telling;
pub mod webhook;
mod wishes_json;

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path};

use crate::domain::execution::{ExecutionState, FinishedRun};
use crate::domain::ids::ExecutionId;
use crate::http::extract::{AnswerRoom, CurrentCaller, QueryParams, RequestId};
use crate::http::failure::Failure;
use crate::http::rest::executions::json::{CancelAnswer, ExecutionAnswer, ExecutionSummary};
use crate::http::rest::executions::list_query::ListQuery;
use crate::http::rest::fields::page::PageAnswer;
use crate::http::rest::response_body;
use crate::services::Error;
use crate::state::AppState;

/// Your runs, newest first. Needs the scope `read`.
pub(in crate::http::rest) async fn list(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    QueryParams(query): QueryParams<ListQuery>,
) -> Result<web::Json<PageAnswer<ExecutionSummary>>, Failure> {
    let (page, filter) = query.parse().map_err(Failure::Invalid)?;
    let runs = state.executions.list(&caller.user, &page, &filter).await?;
    Ok(web::Json(PageAnswer::of(runs, |run| ExecutionSummary::of(&run))))
}

/// One of your runs, with everything its answer held. Needs the scope `read`.
pub(in crate::http::rest) async fn get(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    room: AnswerRoom,
    id: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = ExecutionId::parse(&id).ok_or(Error::ExecutionNotFound)?;
    let run = state.executions.get(&caller.user, &id).await?;
    let length = match &run.state {
        ExecutionState::Finished(FinishedRun { report: Some(report), .. }) => report.length(),
        _ => response_body::SHORT,
    };
    room.enter(length).await;
    let body = response_body::json(length, || ExecutionAnswer::of(run)).await?;
    let mut response = HttpResponse::Ok();
    response.content_type("application/json");
    Ok(response_body::respond(&mut response, body, Some(room)))
}

/// End a run early, and see what there is of it then. Whoever waits for it gets its answer, with what it
/// had written. Needs the scope `run`.
pub(in crate::http::rest) async fn cancel(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    id: Path<String>,
) -> Result<web::Json<CancelAnswer>, Failure> {
    let id = ExecutionId::parse(&id).ok_or(Error::ExecutionNotFound)?;
    let execution = state.executions.cancel(&caller.user, &id, &request_id).await?;
    let answer = CancelAnswer::of(execution).map_err(|_| Error::Fault("an answer is not JSON"))?;
    Ok(web::Json(answer))
}
