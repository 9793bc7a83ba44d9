//! `GET /v1/doctor`.

pub mod json;

use actix_web::web::{self, Data};

use crate::http::extract::RequestId;
use crate::http::failure::Failure;
use crate::http::rest::doctor::json::DoctorAnswer;
use crate::state::AppState;

/// What stands between code and the host, with all that the worker saw when it tried each wall, and
/// what can be done about what is missing. Needs the scope `admin`.
pub(in crate::http::rest) async fn doctor(
    state: Data<AppState>,
    RequestId(request_id): RequestId,
) -> Result<web::Json<DoctorAnswer>, Failure> {
    let worker = state.worker.capabilities(&request_id).await?;
    Ok(web::Json(DoctorAnswer::of(&worker, &state.rules)))
}
