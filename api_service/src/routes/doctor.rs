//! `GET /v1/doctor`.

use actix_web::web::{self, Data};

use crate::contract::doctor::DoctorAnswer;
use crate::contract::problem::Problem;
use crate::error::ApiError;
use crate::extract::RequestId;
use crate::services::Error;
use crate::state::AppState;

/// What stands between code and the host, with all that the worker saw when it tried each wall, and
/// what can be done about what is missing. Needs the scope `admin`.
#[utoipa::path(
    get, path = "/v1/doctor", tag = "operator",
    responses(
        (status = 200, body = DoctorAnswer),
        (status = 403, body = Problem), (status = 503, body = Problem)
    ),
    security(("bearer" = []), ("api_key" = []))
)]
pub(super) async fn doctor(
    state: Data<AppState>,
    RequestId(request_id): RequestId,
) -> Result<web::Json<DoctorAnswer>, ApiError> {
    let worker = state.workers.capabilities(&request_id).await.map_err(Error::from)?;
    Ok(web::Json(DoctorAnswer::of(&worker, &state.rules)))
}
