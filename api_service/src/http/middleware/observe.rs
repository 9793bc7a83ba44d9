//! One log record and one measurement of every request.

use std::time::Instant;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use metrics::{counter, histogram};
use tracing::{Instrument, info_span};

use crate::http::failure::Failure;
use crate::telemetry;

/// Stands for a path that no route has: callers must not be able to make up labels.
const UNMATCHED: &str = "unmatched";

/// Asked every few seconds, for ever. That the worker is down is in the log once, not at each question.
const PROBES: [&str; 3] = ["/livez", "/readyz", "/health"];

/// Logs and measures what is inside.
///
/// # Errors
/// What is inside does not answer.
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let begin = Instant::now();
    let method = label(request.method());
    let span = info_span!("request", request_id = telemetry::current_request_id(), method);
    let mut watch = Watch { method, begin, done: false };
    async move {
        let response = next.call(request).await?;
        let route = response.request().match_pattern().unwrap_or_else(|| UNMATCHED.to_owned());
        if let Some(cause) = response
            .response()
            .error()
            .and_then(|error| error.as_error::<Failure>())
            .and_then(Failure::cause)
        {
            if response.status() == StatusCode::INTERNAL_SERVER_ERROR {
                tracing::error!(cause, "a request failed on our side");
            } else {
                tracing::warn!(cause, "a request could not be fulfilled now");
            }
        }
        watch.answered(&route, response.status());
        Ok(response)
    }
    .instrument(span)
    .await
}

/// Callers can make up methods too, each as long as a head may be: a label and a line of the log are
/// neither.
fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::HEAD => "HEAD",
        _ => "other",
    }
}

/// Dropped without an answer, the caller went away.
struct Watch {
    method: &'static str,
    begin: Instant,
    done: bool,
}

impl Watch {
    fn answered(&mut self, route: &str, status: StatusCode) {
        self.done = true;
        let elapsed = self.begin.elapsed();
        let labels = [
            ("method", self.method.to_owned()),
            ("route", route.to_owned()),
            ("status", status.as_u16().to_string()),
        ];
        counter!("crucible_http_requests_total", &labels).increment(1);
        histogram!("crucible_http_request_duration_seconds", &labels).record(elapsed);
        let duration_ms = elapsed.as_secs_f64() * 1000.0;
        let status = status.as_u16();
        if route.starts_with("/v1") || (status >= 400 && !PROBES.contains(&route)) {
            tracing::info!(route, status, duration_ms, "answered");
        } else {
            tracing::debug!(route, status, duration_ms, "answered");
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.done {
            let duration_ms = self.begin.elapsed().as_secs_f64() * 1000.0;
            counter!("crucible_http_requests_abandoned_total").increment(1);
            tracing::info!(duration_ms, "the caller went away before the answer");
        }
    }
}
