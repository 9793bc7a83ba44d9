//! Who opens a WebSocket: by a header, or in the first frame for those who cannot send one, as browsers cannot. A
//! credential is never read from the query, which proxies write into their logs.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use actix_ws::{AggregatedMessage, AggregatedMessageStream};
use serde::Deserialize;
use tokio::time::timeout;

use crate::domain::caller::Caller;
use crate::http::failure::Failure;
use crate::http::middleware::{API_KEY, credential};
use crate::services::authenticator::Authenticator;

/// How long the first frame may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest credential.
const MAX_TOKEN: usize = 4096;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, tag = "op", rename_all = "snake_case")]
enum First {
    Auth { token: String },
}

/// The credential of a header, and whose it is; `None` where there is no header for one at all: what is wrong in one is
/// not made good by a frame.
///
/// # Errors
/// When it is not valid, or there are several.
pub async fn header(
    request: &HttpRequest,
    authenticator: &Authenticator,
) -> Result<Option<(Caller, String)>, Failure> {
    let headers = request.headers();
    let named = headers.contains_key(AUTHORIZATION) || headers.contains_key(API_KEY);
    match credential(headers) {
        Ok(text) => Ok(Some((authenticator.recognise(text).await?, text.to_owned()))),
        Err(Failure::NoCredential) if !named => Ok(None),
        Err(error) => Err(error),
    }
}

/// Who says so in the first frame, and with which credential: `{"op": "auth", "token": "…"}`, within 5 seconds.
///
/// # Errors
/// [`Failure::NoCredential`], or one that is not valid.
pub async fn first_frame(
    frames: &mut AggregatedMessageStream,
    authenticator: &Authenticator,
) -> Result<(Caller, String), Failure> {
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
    let First::Auth { token } = serde_json::from_str(&text).map_err(|_| Failure::NoCredential)?;
    if token.is_empty() || token.len() > MAX_TOKEN {
        return Err(Failure::NoCredential);
    }
    Ok((authenticator.recognise(&token).await?, token))
}
