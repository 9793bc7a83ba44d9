//! `/health`, `/livez`, `/readyz`.

pub mod json;

use actix_web::HttpResponse;
use actix_web::web::{self, Data};

use crate::http::rest::health::json::{HealthAnswer, ProbeAnswer};
use crate::state::AppState;

/// How the service is, with the isolation in force.
pub(in crate::http::rest) async fn health(state: Data<AppState>) -> HttpResponse {
    let database = state.database.is_up().await;
    let worker = state.worker.recent();
    let answer = HealthAnswer::of(database, worker.as_deref());
    if HealthAnswer::is_healthy(database, worker.as_deref()) {
        HttpResponse::Ok().json(answer)
    } else {
        HttpResponse::ServiceUnavailable().json(answer)
    }
}

/// True as long as the process answers.
pub(in crate::http::rest) async fn livez() -> web::Json<ProbeAnswer> {
    web::Json(ProbeAnswer { status: "ok" })
}

/// True when requests can be fulfilled: the schema is up to date, and the worker answered lately.
pub(in crate::http::rest) async fn readyz(state: Data<AppState>) -> HttpResponse {
    if state.worker.recent().is_some() && state.database.is_up().await {
        HttpResponse::Ok().json(ProbeAnswer { status: "ok" })
    } else {
        HttpResponse::ServiceUnavailable().json(ProbeAnswer { status: "not_ready" })
    }
}
