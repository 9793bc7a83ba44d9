//! `GET /v1/languages`.

pub mod json;

use actix_web::web::{self, Data};

use crate::http::extract::RequestId;
use crate::http::failure::Failure;
use crate::http::rest::languages::json::LanguagesAnswer;
use crate::state::AppState;

/// What really runs here: languages, versions, packages, limits.
pub(in crate::http::rest) async fn languages(
    state: Data<AppState>,
    RequestId(request_id): RequestId,
) -> Result<web::Json<LanguagesAnswer>, Failure> {
    let worker = state.worker.capabilities(&request_id).await?;
    Ok(web::Json(LanguagesAnswer::of(&worker, &state.rules)))
}
