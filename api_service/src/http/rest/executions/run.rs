//! `POST /v1/code_interpreter/run`.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;

use crate::http::extract::{CurrentCaller, Json, OptionalKey, RequestId};
use crate::http::failure::Failure;
use crate::http::rest::executions::run_json::{RunAnswer, RunBody};
use crate::http::rest::idempotent::{idempotent, reservation};
use crate::http::rest::response_body;
use crate::state::AppState;

/// Run code and wait for its end. A program that fails is an outcome, not an error: the answer is
/// 200 and `status` says how it ended. Needs the scope `run`.
pub(in crate::http::rest) async fn run(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    OptionalKey(key): OptionalKey,
    RequestId(request_id): RequestId,
    body: Json<RunBody>,
) -> Result<HttpResponse, Failure> {
    let run = body.value.parse(&state.rules).map_err(Failure::Invalid)?;
    let reservation = reservation(key, &caller, "run", &body.bytes);
    let work = async {
        let (id, report) = state.runs.run(&caller.user, &run, &request_id).await?;
        let (length, session, language) = (report.length(), run.session, run.language);
        response_body::json(length, move || RunAnswer::of(&id, session.as_ref(), language, report))
            .await
    };
    let answer = idempotent(&state.idempotency, reservation, StatusCode::OK, work).await?;
    Ok(HttpResponse::from(answer))
}
