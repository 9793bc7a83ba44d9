//! `…/sessions/{id}/network`: what its programs may reach, and what they have reached.

pub mod json;
mod schema;

use actix_web::web::{self, Data, Path};

use crate::domain::ids::SessionId;
use crate::http::extract::{CurrentCaller, Json, RequestId};
use crate::http::failure::Failure;
use crate::http::rest::network::json::{NetworkAnswer, NetworkBody, NetworkLogAnswer};
use crate::services::Error;
use crate::state::AppState;

/// Put another policy in force. Needs the scope `sessions`.
pub(in crate::http::rest) async fn change(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    id: Path<String>,
    body: Json<NetworkBody>,
) -> Result<web::Json<NetworkAnswer>, Failure> {
    let id = SessionId::parse(&id).ok_or(Error::SessionNotFound)?;
    let policy = body.value.parse_alone().map_err(Failure::Invalid)?;
    let policy = state.sessions.set_network(&caller.user, &id, policy, &request_id).await?;
    Ok(web::Json(NetworkAnswer::of(policy)))
}

/// What was connected to. Needs the scope `read`.
pub(in crate::http::rest) async fn log(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    id: Path<String>,
) -> Result<web::Json<NetworkLogAnswer>, Failure> {
    let id = SessionId::parse(&id).ok_or(Error::SessionNotFound)?;
    let log = state.sessions.network_log(&caller.user, &id, &request_id).await?;
    Ok(web::Json(NetworkLogAnswer::of(log)))
}
