//! What a process is told: input, signals, the size of its terminal.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path};
use serde::Deserialize;
use utoipa::ToSchema;

use super::named;
use super::start_json::{PtyBody, SizeBody};
use crate::domain::field_error::{FieldError, FieldErrors};
use crate::domain::process::SIGNALS;
use crate::http::extract::{CurrentCaller, Json, RequestId};
use crate::http::failure::Failure;
use crate::http::rest::executions::input::{InputAnswer, InputBody};
use crate::http::rest::fields::words;
use crate::state::AppState;

/// A signal to send.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"signal": "SIGTERM"}))]
pub struct SignalBody {
    /// Its name. None of the real-time signals.
    #[schema(schema_with = words::signal)]
    pub signal: String,
}

impl SignalBody {
    /// Its name, as we write it.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn parse(self) -> Result<&'static str, Vec<FieldError>> {
        let known = SIGNALS.into_iter().find(|name| *name == self.signal);
        let rule = "must be the name of a signal, such as SIGTERM; none of the real-time ones";
        known.ok_or_else(|| vec![FieldError::new("signal", rule)])
    }
}

/// Write to its standard input or terminal. Needs the scope `run`.
pub(in crate::http::rest) async fn write(
    state: Data<AppState>,
    CurrentCaller(who): CurrentCaller,
    RequestId(request_id): RequestId,
    path: Path<(String, String)>,
    body: Json<InputBody>,
) -> Result<web::Json<InputAnswer>, Failure> {
    let (caller, id) = named(&who, &path, request_id)?;
    let input = body.value.parse().map_err(Failure::Invalid)?;
    let accepted_bytes = input.data.len();
    state.processes.write(&caller, id, (input.data, input.end)).await?;
    Ok(web::Json(InputAnswer { accepted_bytes }))
}

/// Send it and its group a signal. Needs the scope `run`.
pub(in crate::http::rest) async fn signal(
    state: Data<AppState>,
    CurrentCaller(who): CurrentCaller,
    RequestId(request_id): RequestId,
    path: Path<(String, String)>,
    body: Json<SignalBody>,
) -> Result<HttpResponse, Failure> {
    let (caller, id) = named(&who, &path, request_id)?;
    let signal = body.value.parse().map_err(Failure::Invalid)?;
    state.processes.signal(&caller, id, signal).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Give its terminal another size. Needs the scope `run`.
pub(in crate::http::rest) async fn resize(
    state: Data<AppState>,
    CurrentCaller(who): CurrentCaller,
    RequestId(request_id): RequestId,
    path: Path<(String, String)>,
    body: Json<SizeBody>,
) -> Result<HttpResponse, Failure> {
    let (caller, id) = named(&who, &path, request_id)?;
    let mut errors = FieldErrors::default();
    let size = PtyBody::from(body.value).parse("", &mut errors);
    let size = errors.finish(Some(size)).map_err(Failure::Invalid)?;
    state.processes.resize(&caller, id, size).await?;
    Ok(HttpResponse::NoContent().finish())
}
