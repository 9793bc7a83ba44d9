//! `/health`, `/livez`, `/readyz`.

use actix_web::HttpResponse;
use actix_web::web::{self, Data};

use crate::contract::health::{HealthAnswer, ProbeAnswer};
use crate::state::AppState;

/// How the service is, with the isolation in force.
#[utoipa::path(
    get, path = "/health", tag = "public",
    responses((status = 200, body = HealthAnswer), (status = 503, body = HealthAnswer))
)]
pub(super) async fn health(state: Data<AppState>) -> HttpResponse {
    let database = state.database.is_up().await;
    let worker = state.workers.recent();
    let answer = HealthAnswer::of(database, worker.as_deref());
    if HealthAnswer::is_healthy(database, worker.as_deref()) {
        HttpResponse::Ok().json(answer)
    } else {
        HttpResponse::ServiceUnavailable().json(answer)
    }
}

/// True as long as the process answers.
#[utoipa::path(get, path = "/livez", tag = "public", responses((status = 200, body = ProbeAnswer)))]
pub(super) async fn livez() -> web::Json<ProbeAnswer> {
    web::Json(ProbeAnswer { status: "ok" })
}

/// True when requests can be fulfilled: the schema is up to date, and the worker answered lately.
#[utoipa::path(
    get, path = "/readyz", tag = "public",
    responses((status = 200, body = ProbeAnswer), (status = 503, body = ProbeAnswer))
)]
pub(super) async fn readyz(state: Data<AppState>) -> HttpResponse {
    if state.workers.recent().is_some() && state.database.is_up().await {
        HttpResponse::Ok().json(ProbeAnswer { status: "ok" })
    } else {
        HttpResponse::ServiceUnavailable().json(ProbeAnswer { status: "not_ready" })
    }
}
