//! `/v1/code_interpreter/sessions/{id}/contexts`.

pub mod json;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Path};

use crate::domain::ids::{ContextId, SessionId};
use crate::http::extract::{CurrentCaller, Json, OptionalKey, RequestId};
use crate::http::failure::Failure;
use crate::http::rest::contexts::json::{
    ContextAnswer, ContextBody, ContextsAnswer, InterruptAnswer,
};
use crate::http::rest::idempotent::{idempotent, reservation};
use crate::http::rest::response_body;
use crate::services::Error;
use crate::state::AppState;

/// Make one more context in a session. Needs the scope `sessions`.
pub(in crate::http::rest) async fn create(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    OptionalKey(key): OptionalKey,
    RequestId(request_id): RequestId,
    id: Path<String>,
    body: Json<ContextBody>,
) -> Result<HttpResponse, Failure> {
    let id = SessionId::parse(&id).ok_or(Error::SessionNotFound)?;
    let new = body.value.parse(state.workers.offer().as_ref()).map_err(Failure::Invalid)?;
    // The same body for another session is another request.
    let asked = [id.as_str().as_bytes(), &body.bytes];
    let reservation = reservation(key, &caller, "contexts", &asked);
    let (sessions, idempotency) = (state.sessions.clone(), state.idempotency.clone());
    // To the end, even when the caller goes away: a repeated request must find the answer.
    let making = async move {
        let work = async {
            let context = sessions.create_context(&caller.user, &id, new, &request_id).await?;
            response_body::json(response_body::SHORT, move || Ok(ContextAnswer::of(&context))).await
        };
        idempotent(&idempotency, reservation, StatusCode::CREATED, work).await
    };
    let answer = state.background.finish(making).await;
    Ok(HttpResponse::from(answer.ok_or(Error::Fault("a context's maker ended"))??))
}

/// The contexts of a session, oldest first. Needs the scope `read`.
pub(in crate::http::rest) async fn list(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    id: Path<String>,
) -> Result<web::Json<ContextsAnswer>, Failure> {
    let id = SessionId::parse(&id).ok_or(Error::SessionNotFound)?;
    let contexts = state.sessions.contexts(&caller.user, &id, &request_id).await?;
    Ok(web::Json(ContextsAnswer { data: contexts.iter().map(ContextAnswer::of).collect() }))
}

/// Delete a context with what runs in it. Needs the scope `sessions`.
pub(in crate::http::rest) async fn delete(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let (id, context) = ids(&path)?;
    state.sessions.delete_context(&caller.user, &id, &context, &request_id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Interrupt what runs in a context. Needs the scope `sessions`.
pub(in crate::http::rest) async fn interrupt(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    path: Path<(String, String)>,
) -> Result<web::Json<InterruptAnswer>, Failure> {
    let (id, context) = ids(&path)?;
    let interrupted =
        state.sessions.interrupt(&caller.user, &id, Some(&context), &request_id).await?;
    Ok(web::Json(InterruptAnswer { interrupted }))
}

/// Give a context a new interpreter. Needs the scope `sessions`.
pub(in crate::http::rest) async fn restart(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    path: Path<(String, String)>,
) -> Result<web::Json<ContextAnswer>, Failure> {
    let (id, context) = ids(&path)?;
    let contexts = state.sessions.restart(&caller.user, &id, Some(&context), &request_id).await?;
    let restarted = contexts.iter().find(|one| one.id == context);
    // It may have been deleted meanwhile.
    Ok(web::Json(ContextAnswer::of(restarted.ok_or(Error::ContextNotFound)?)))
}

fn ids((session, context): &(String, String)) -> Result<(SessionId, ContextId), Error> {
    let session = SessionId::parse(session).ok_or(Error::SessionNotFound)?;
    Ok((session, ContextId::parse(context).ok_or(Error::ContextNotFound)?))
}
