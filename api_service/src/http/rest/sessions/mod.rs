//! `/v1/code_interpreter/sessions`.

pub mod json;
pub mod query;
pub(in crate::http::rest) mod verbs;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Path};

use crate::domain::ids::SessionId;
use crate::http::extract::{CurrentCaller, Json, OptionalKey, QueryParams, RequestId};
use crate::http::failure::Failure;
use crate::http::rest::fields::page::PageAnswer;
use crate::http::rest::idempotent::{idempotent, reservation};
use crate::http::rest::response_body;
use crate::http::rest::sessions::json::{SessionAnswer, SessionBody, SessionEnded, SessionPatch};
use crate::services::Error;
use crate::state::AppState;

/// Make a session: a sandbox whose state lives on between runs. Needs the scope `sessions`.
pub(in crate::http::rest) async fn create(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    OptionalKey(key): OptionalKey,
    RequestId(request_id): RequestId,
    body: Json<SessionBody>,
) -> Result<HttpResponse, Failure> {
    let of = state.clone();
    let body = body.parsed(move |body| body.parse(of.workers.offer().as_ref())).await?;
    let (new, reservation) = (body.value, reservation(key, &caller, "sessions", &[&body.bytes]));
    let (sessions, idempotency) = (state.sessions.clone(), state.idempotency.clone());
    // To the end, even when the caller goes away: a repeated request must find the answer.
    let making = async move {
        let work = async {
            let session = sessions.create(&caller.user, new, &request_id).await?;
            let answer = || Ok(SessionAnswer::of(session));
            response_body::json(response_body::SHORT, answer).await
        };
        idempotent(&idempotency, reservation, StatusCode::CREATED, work).await
    };
    let answer = state.background.finish(making).await;
    Ok(HttpResponse::from(answer.ok_or(Error::Fault("a session's maker ended"))??))
}

/// Your sessions, newest first. Needs the scope `read`.
pub(in crate::http::rest) async fn list(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    QueryParams(parameters): QueryParams<Vec<(String, String)>>,
) -> Result<web::Json<PageAnswer<SessionAnswer>>, Failure> {
    let (page, filter) = query::parse(parameters).map_err(Failure::Invalid)?;
    let sessions = state.sessions.list(&caller.user, &page, &filter, &request_id).await?;
    Ok(web::Json(PageAnswer::of(sessions, SessionAnswer::of)))
}

/// One of your sessions. Needs the scope `read`.
pub(in crate::http::rest) async fn get(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    id: Path<String>,
) -> Result<web::Json<SessionAnswer>, Failure> {
    let id = SessionId::parse(&id).ok_or(Error::SessionNotFound)?;
    let session = state.sessions.get(&caller.user, &id, &request_id).await?;
    Ok(web::Json(SessionAnswer::of(session)))
}

/// Give a session another note. Needs the scope `sessions`.
pub(in crate::http::rest) async fn update(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    id: Path<String>,
    body: Json<SessionPatch>,
) -> Result<web::Json<SessionAnswer>, Failure> {
    let id = SessionId::parse(&id).ok_or(Error::SessionNotFound)?;
    let metadata = body.value.parse().map_err(Failure::Invalid)?;
    let changed = state.sessions.set_metadata(&caller.user, &id, &metadata, &request_id).await?;
    Ok(web::Json(SessionAnswer::of(changed)))
}

/// End a session. A second time it is not found. Needs the scope `sessions`.
pub(in crate::http::rest) async fn delete(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    id: Path<String>,
) -> Result<web::Json<SessionEnded>, Failure> {
    let id = SessionId::parse(&id).ok_or(Error::SessionNotFound)?;
    state.sessions.end(&caller.user, &id, &request_id).await?;
    Ok(web::Json(SessionEnded { success: true, message: "Session ended" }))
}
