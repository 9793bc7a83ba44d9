//! What is done to a session by a word: `…/sessions/{id}/<verb>`. Each needs the scope `sessions`.

use actix_web::web::{self, Data, Path};

use crate::domain::ids::SessionId;
use crate::http::extract::{CurrentCaller, Json, RequestId};
use crate::http::failure::Failure;
use crate::http::rest::contexts::json::{ContextAnswer, ContextsAnswer, InterruptAnswer};
use crate::http::rest::sessions::json::{ExtendBody, SessionAnswer};
use crate::services::Error;
use crate::state::AppState;

/// Move the end of a session.
pub(in crate::http::rest) async fn extend(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    id: Path<String>,
    body: Json<ExtendBody>,
) -> Result<web::Json<SessionAnswer>, Failure> {
    let id = SessionId::parse(&id).ok_or(Error::SessionNotFound)?;
    let ttl = body.value.parse().map_err(Failure::Invalid)?;
    let extended = state.sessions.extend(&caller.user, &id, ttl, &request_id).await?;
    Ok(web::Json(SessionAnswer::of(extended)))
}

/// Have everything in it stand still.
pub(in crate::http::rest) async fn pause(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    id: Path<String>,
) -> Result<web::Json<SessionAnswer>, Failure> {
    let id = SessionId::parse(&id).ok_or(Error::SessionNotFound)?;
    let paused = state.sessions.pause(&caller.user, &id, &request_id).await?;
    Ok(web::Json(SessionAnswer::of(paused)))
}

/// Have everything in it go on.
pub(in crate::http::rest) async fn resume(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    id: Path<String>,
) -> Result<web::Json<SessionAnswer>, Failure> {
    let id = SessionId::parse(&id).ok_or(Error::SessionNotFound)?;
    let resumed = state.sessions.resume(&caller.user, &id, &request_id).await?;
    Ok(web::Json(SessionAnswer::of(resumed)))
}

/// Interrupt what runs in all of its contexts.
pub(in crate::http::rest) async fn interrupt(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    id: Path<String>,
) -> Result<web::Json<InterruptAnswer>, Failure> {
    let id = SessionId::parse(&id).ok_or(Error::SessionNotFound)?;
    let interrupted = state.sessions.interrupt(&caller.user, &id, None, &request_id).await?;
    Ok(web::Json(InterruptAnswer { interrupted }))
}

/// Give all of its contexts new interpreters.
pub(in crate::http::rest) async fn restart(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    id: Path<String>,
) -> Result<web::Json<ContextsAnswer>, Failure> {
    let id = SessionId::parse(&id).ok_or(Error::SessionNotFound)?;
    let contexts = state.sessions.restart(&caller.user, &id, None, &request_id).await?;
    Ok(web::Json(ContextsAnswer { data: contexts.iter().map(ContextAnswer::of).collect() }))
}
