//! Many measured times in a few figures.

use std::time::Duration;

use serde::Serialize;

/// One side of a comparison.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// How many were measured.
    pub runs: usize,
    /// Half of them took no longer, in milliseconds.
    pub p50_ms: f64,
    /// 95 of 100 took no longer.
    pub p95_ms: f64,
    /// 99 of 100 took no longer.
    pub p99_ms: f64,
    /// Runs in a second of measured time.
    pub runs_per_second: f64,
}

impl Figures {
    /// Of runs that followed each other; the pauses between them do not count.
    pub fn in_a_row(times: Vec<Duration>) -> Self {
        let sum = times.iter().sum();
        Self::of(times, sum)
    }

    /// Of runs that took `elapsed` altogether, many at a time.
    pub fn of(mut times: Vec<Duration>, elapsed: Duration) -> Self {
        assert!(!times.is_empty(), "something was measured");
        times.sort_unstable();
        Self {
            runs: times.len(),
            p50_ms: milliseconds(percentile(&times, 50)),
            p95_ms: milliseconds(percentile(&times, 95)),
            p99_ms: milliseconds(percentile(&times, 99)),
            runs_per_second: times.len() as f64 / elapsed.as_secs_f64(),
        }
    }
}

/// The time that `percent` of the sorted `times` do not exceed: one of them, nothing in between.
fn percentile(times: &[Duration], percent: usize) -> Duration {
    let rank = (times.len() * percent).div_ceil(100);
    times[rank.max(1) - 1]
}

/// With its fraction.
pub fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
