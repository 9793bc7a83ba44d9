//! `/metrics`, on a listener of its own.

mod exposition;

use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::services::worker::Worker;

/// The version of the text format.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Registers it.
pub fn configure(config: &mut ServiceConfig, handle: PrometheusHandle, worker: Worker) {
    config.app_data(Data::new(handle)).app_data(Data::new(worker));
    config.route("/metrics", web::get().to(metrics));
}

/// Our own figures, and those of the worker as it gives them now.
async fn metrics(handle: Data<PrometheusHandle>, worker: Data<Worker>) -> HttpResponse {
    let inventory = worker.inventory().await;
    let text = handle.render() + &exposition::write(inventory.as_ref());
    HttpResponse::Ok().content_type(TEXT).body(text)
}
