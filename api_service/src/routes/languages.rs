//! `GET /v1/languages`.

use actix_web::web::{self, Data};

use crate::contract::languages::LanguagesAnswer;
use crate::contract::problem::Problem;
use crate::error::ApiError;
use crate::extract::RequestId;
use crate::services::Error;
use crate::state::AppState;

/// What really runs here: languages, versions, packages, limits.
#[utoipa::path(
    get, path = "/v1/languages", tag = "public",
    responses((status = 200, body = LanguagesAnswer), (status = 503, body = Problem))
)]
pub(super) async fn languages(
    state: Data<AppState>,
    RequestId(request_id): RequestId,
) -> Result<web::Json<LanguagesAnswer>, ApiError> {
    let worker = state.workers.capabilities(&request_id).await.map_err(Error::from)?;
    Ok(web::Json(LanguagesAnswer::of(&worker, &state.rules)))
}
