//! What Prometheus is told.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

/// In seconds; the first buckets are where a warm run ends.
const BUCKETS: [f64; 13] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0];

/// A process has one recorder, however many applications its tests start.
static HANDLE: Mutex<Option<PrometheusHandle>> = Mutex::new(None);

/// Between two clean-ups: measurements pile up until somebody reads them or this is done.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Records from now on; the handle gives the text to answer with.
///
/// # Errors
/// When another recorder is installed.
pub fn start() -> anyhow::Result<PrometheusHandle> {
    let mut known = HANDLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = known.as_ref() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)?
        .install_recorder()
        .context("metrics are recorded by something else")?;
    *known = Some(handle.clone());
    Ok(handle)
}

/// Cleans up now and then, until `stop`.
pub async fn keep_up(handle: PrometheusHandle, stop: CancellationToken) {
    let work = async {
        loop {
            tokio::time::sleep(UPKEEP_INTERVAL).await;
            handle.run_upkeep();
        }
    };
    stop.run_until_cancelled(work).await;
}
