//! How long answers took.

use std::time::Duration;

use serde::Serialize;

/// How long answers took, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Latencies {
    /// How many.
    pub answers: usize,
    /// Half of them took no longer.
    pub p50_ms: f64,
    /// 99 of 100 took no longer.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

impl Latencies {
    /// Zeros of nothing.
    pub fn of(took: &[Duration]) -> Self {
        let mut sorted: Vec<f64> = took.iter().map(|took| took.as_secs_f64() * 1000.0).collect();
        sorted.sort_by(f64::total_cmp);
        let at = |share: usize| {
            let index = (sorted.len() * share).div_ceil(100).saturating_sub(1);
            sorted.get(index).map_or(0.0, |millis| (millis * 10.0).round() / 10.0)
        };
        Self { answers: sorted.len(), p50_ms: at(50), p99_ms: at(99), max_ms: at(100) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_those_of_the_sorted_times() {
        let took: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
        let times = Latencies { answers: 200, p50_ms: 100.0, p99_ms: 198.0, max_ms: 200.0 };
        assert_eq!(Latencies::of(&took), times);
        assert_eq!(Latencies::of(&[]), Latencies::default());
    }
}
