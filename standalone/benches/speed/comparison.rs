//! What is said about a workload in the end.

use serde::Serialize;

use crate::answer::Phases;
use crate::figures::Figures;

/// Both sides of a workload.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// The workload's name.
    pub name: String,
    /// Over HTTP, in a sandbox.
    pub crucible: Figures,
    /// The unconfined process, or what else it is measured against.
    pub bare: Figures,
    /// What was to be reached. The first is the one that the table has a column for.
    pub claims: Vec<Claim>,
    /// What the answers themselves say about their time.
    pub phases: Phases,
}

/// One figure with its target.
#[derive(Debug, Serialize)]
pub struct Claim {
    /// Which figure.
    pub what: String,
    /// What it is counted in: `×`, `GiB`.
    pub unit: &'static str,
    /// The figure.
    pub measured: f64,
    /// The target.
    pub target: Bound,
    /// Whether it was reached.
    pub met: bool,
}

/// Which side of a figure is good.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// This or less.
    AtMost(f64),
    /// This or more.
    AtLeast(f64),
}

impl Claim {
    /// Judges a figure.
    pub fn new(what: impl Into<String>, unit: &'static str, measured: f64, target: Bound) -> Self {
        let met = match target {
            Bound::AtMost(most) => measured <= most,
            Bound::AtLeast(least) => measured >= least,
        };
        Self { what: what.into(), unit, measured, target, met }
    }

    /// The ratio of the medians, which must not be above `most`.
    pub fn p50(crucible: &Figures, bare: &Figures, most: f64) -> Self {
        Self::new("p50", "×", crucible.p50_ms / bare.p50_ms, Bound::AtMost(most))
    }
}
