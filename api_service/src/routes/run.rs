//! `POST /v1/code_interpreter/run`.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;

use super::once::{once, reservation};
use super::written;
use crate::contract::problem::Problem;
use crate::contract::run::{RunAnswer, RunBody};
use crate::domain::ids::ExecutionId;
use crate::error::ApiError;
use crate::extract::{CurrentCaller, Json, OptionalKey, RequestId};
use crate::services::executions::{End, Started};
use crate::state::AppState;

/// Run code and wait for its end. A program that fails is an outcome, not an error: the answer is
/// 200 and `status` says how it ended. Needs the scope `run`.
#[utoipa::path(
    post, path = "/v1/code_interpreter/run", tag = "run", request_body = RunBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "do it once")),
    responses(
        (status = 200, body = RunAnswer),
        (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 410, body = Problem),
        (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem),
        (status = 503, body = Problem)
    ),
    security(("bearer" = []), ("api_key" = []))
)]
pub(super) async fn run(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    OptionalKey(key): OptionalKey,
    RequestId(request_id): RequestId,
    body: Json<RunBody>,
) -> Result<HttpResponse, ApiError> {
    let run = body
        .value
        .parse(&state.rules, state.workers.offer().as_ref())
        .map_err(ApiError::Invalid)?;
    let reservation = reservation(key, &caller, "run", &body.bytes);
    let work = async {
        let (session, id) = (run.session.clone(), ExecutionId::generate());
        let started = state.executions.start(&caller.user, id, run, &request_id).await?;
        let Started { id, language, follower, unwanted } = started;
        // The rule of this route: a caller who goes away wants its run no more.
        let _cancel_on_drop = unwanted.drop_guard();
        let report = match follower.end().await {
            End::Finished(report) => Arc::unwrap_or_clone(report),
            End::Failed(error) => return Err(error),
        };
        let length = report.length();
        written::json(length, move || RunAnswer::of(&id, session.as_ref(), &language, report)).await
    };
    let answer = once(&state.idempotency, reservation, StatusCode::OK, work).await?;
    Ok(HttpResponse::from(answer))
}
