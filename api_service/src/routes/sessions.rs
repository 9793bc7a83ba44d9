//! `/v1/code_interpreter/sessions`.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Path};

use super::once::{once, reservation};
use super::written;
use crate::contract::page::{PageAnswer, PageQuery};
use crate::contract::problem::Problem;
use crate::contract::sessions::{SessionAnswer, SessionBody, SessionEnded};
use crate::domain::ids::SessionId;
use crate::domain::session::SessionStatus;
use crate::error::ApiError;
use crate::extract::{CurrentCaller, Json, OptionalKey, PageParams, RequestId};
use crate::services::Error;
use crate::state::AppState;

/// Make a session: a sandbox whose state lives on between runs. Needs the scope `sessions`.
#[utoipa::path(
    post, path = "/v1/code_interpreter/sessions", tag = "sessions", request_body = SessionBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "do it once")),
    responses(
        (status = 201, body = SessionAnswer),
        (status = 409, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)
    ),
    security(("bearer" = []), ("api_key" = []))
)]
pub(super) async fn create(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    OptionalKey(key): OptionalKey,
    RequestId(request_id): RequestId,
    body: Json<SessionBody>,
) -> Result<HttpResponse, ApiError> {
    let new = body.value.parse(state.workers.offer().as_ref()).map_err(ApiError::Invalid)?;
    let reservation = reservation(key, &caller, "sessions", &body.bytes);
    let (sessions, idempotency) = (state.sessions.clone(), state.idempotency.clone());
    // To the end, even when the caller goes away: a repeated request must find the answer.
    let making = async move {
        let work = async {
            let session = sessions.create(&caller.user, new, &request_id).await?;
            let answer = || Ok(SessionAnswer::of(session, SessionStatus::Active));
            written::json(written::SHORT, answer).await
        };
        once(&idempotency, reservation, StatusCode::CREATED, work).await
    };
    let answer = state.background.finish(making).await;
    Ok(HttpResponse::from(answer.ok_or(Error::Fault("a session's maker ended"))??))
}

/// Your sessions, newest first. Needs the scope `read`.
#[utoipa::path(
    get, path = "/v1/code_interpreter/sessions", tag = "sessions", params(PageQuery),
    responses(
        (status = 200, body = PageAnswer<SessionAnswer>),
        (status = 422, body = Problem), (status = 503, body = Problem)
    ),
    security(("bearer" = []), ("api_key" = []))
)]
pub(super) async fn list(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    PageParams(query): PageParams<PageQuery>,
) -> Result<web::Json<PageAnswer<SessionAnswer>>, ApiError> {
    let page = query.parse(SessionId::parse).map_err(ApiError::Invalid)?;
    let sessions = state.sessions.list(&caller.user, &page, &request_id).await?;
    let show = |(session, status)| SessionAnswer::of(session, status);
    Ok(web::Json(PageAnswer::of(sessions, show)))
}

/// One of your sessions. Needs the scope `read`.
#[utoipa::path(
    get, path = "/v1/code_interpreter/sessions/{id}", tag = "sessions",
    params(("id" = String, Path, description = "of the session")),
    responses(
        (status = 200, body = SessionAnswer),
        (status = 404, body = Problem), (status = 503, body = Problem)
    ),
    security(("bearer" = []), ("api_key" = []))
)]
pub(super) async fn get(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    id: Path<String>,
) -> Result<web::Json<SessionAnswer>, ApiError> {
    let id = SessionId::parse(&id).ok_or(Error::SessionNotFound)?;
    let (session, status) = state.sessions.get(&caller.user, &id, &request_id).await?;
    Ok(web::Json(SessionAnswer::of(session, status)))
}

/// End a session. A second time it is not found. Needs the scope `sessions`.
#[utoipa::path(
    delete, path = "/v1/code_interpreter/sessions/{id}", tag = "sessions",
    params(("id" = String, Path, description = "of the session")),
    responses(
        (status = 200, body = SessionEnded),
        (status = 404, body = Problem), (status = 503, body = Problem)
    ),
    security(("bearer" = []), ("api_key" = []))
)]
pub(super) async fn delete(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    id: Path<String>,
) -> Result<web::Json<SessionEnded>, ApiError> {
    let id = SessionId::parse(&id).ok_or(Error::SessionNotFound)?;
    state.sessions.end(&caller.user, &id, &request_id).await?;
    Ok(web::Json(SessionEnded { success: true, message: "Session ended" }))
}
