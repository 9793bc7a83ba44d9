//! Who opens a WebSocket. Whoever can set headers shows a credential as for any other request. Browsers cannot: they
//! say who they are in the first frame, and are believed only from origins that the operator has named. A credential is
//! never read from the query, which proxies write into their logs.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::ORIGIN;
use actix_web::web::Data;
use actix_ws::{AggregatedMessage, AggregatedMessageStream};
use serde::Deserialize;
use tokio::time::timeout;

use crate::domain::caller::Caller;
use crate::domain::scope::Access;
use crate::http::failure::Failure;
use crate::services::Error;
use crate::services::authenticator::Authenticator;

/// How long the first frame may take.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// Longest credential.
const MAX_TOKEN: usize = 4096;

/// The origins whose pages may open sockets: those of `CORS_ORIGINS`.
#[derive(Debug, Clone)]
pub struct Origins(pub Vec<String>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, tag = "op", rename_all = "snake_case")]
enum First {
    Auth { token: String },
}

/// Whether the page that opens a socket may: browsers say whose it is, and nothing else does.
///
/// # Errors
/// [`Failure::OriginRefused`].
pub fn check_origin(request: &HttpRequest) -> Result<(), Failure> {
    let mut said = request.headers().get_all(ORIGIN).peekable();
    if said.peek().is_none() {
        return Ok(());
    }
    let Some(Origins(allowed)) = request.app_data::<Data<Origins>>().map(|data| &***data) else {
        return Err(Failure::OriginRefused);
    };
    let is_allowed = |origin: &str| allowed.iter().any(|one| one == origin);
    let all = said.all(|value| value.to_str().is_ok_and(is_allowed));
    if all { Ok(()) } else { Err(Failure::OriginRefused) }
}

/// Who says in the first frame who it is: `{"op": "auth", "token": "…"}`, within [`PATIENCE`].
///
/// # Errors
/// [`Failure::NoCredential`], one that is not valid, or that lacks what `access` asks for.
pub async fn first_frame(
    frames: &mut AggregatedMessageStream,
    authenticator: &Authenticator,
    access: Access,
) -> Result<Caller, Failure> {
    let first = async {
        loop {
            match frames.recv().await {
                Some(Ok(AggregatedMessage::Text(text))) => return Some(text),
                Some(Ok(AggregatedMessage::Ping(_) | AggregatedMessage::Pong(_))) => {}
                _ => return None,
            }
        }
    };
    let text = timeout(PATIENCE, first).await.ok().flatten().ok_or(Failure::NoCredential)?;
    let First::Auth { token } =
        serde_json::from_str(&text).map_err(|_| Failure::NoCredential)?;
    if token.is_empty() || token.len() > MAX_TOKEN {
        return Err(Failure::NoCredential);
    }
    let caller = authenticator.recognise(&token).await?;
    match caller.missing_for(access) {
        Some(scope) => Err(Failure::Service(Error::ScopeMissing(scope))),
        None => Ok(caller),
    }
}
