//! What counts as a finding. Everything here is a function of an answer, so that each kind of
//! finding can be shown to be found.

mod crowd;
mod denied;
mod output;
mod program;
mod reply;

use serde::Serialize;

pub use crowd::{Waits, crowd};
pub use output::Output;
pub use program::program;
pub use reply::{ordinary_refusal, reply};

/// One thing that is not as it has to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Which rule it breaks.
    pub rule: Rule,
    /// What would have been right.
    pub expected: String,
    /// What was.
    pub seen: String,
}

/// What every answer is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A program says that its attack got through.
    Achieved,
    /// It ended in another way than it may.
    Ended,
    /// What it was denied, or why, is not what was expected.
    Denied,
    /// It did not get as far as printing something.
    Printed,
    /// Something came back that must not.
    Hidden,
    /// A secret of somebody else came back.
    Leaked,
    /// The service answered with another status.
    Status,
    /// An error that is 5xx, or no problem document, or lacks the right field or code.
    Problem,
    /// There was no answer, or it took too long.
    Unanswered,
    /// Something was left behind.
    Remained,
    /// Another user was served late or wrongly.
    Bystander,
}

impl Violation {
    /// From its three parts.
    pub fn new(rule: Rule, expected: impl Into<String>, seen: impl Into<String>) -> Self {
        Self { rule, expected: expected.into(), seen: seen.into() }
    }
}

impl Rule {
    /// As it is written in the JSON and on the console.
    pub fn name(self) -> &'static str {
        match self {
            Self::Achieved => "achieved",
            Self::Ended => "ended",
            Self::Denied => "denied",
            Self::Printed => "printed",
            Self::Hidden => "hidden",
            Self::Leaked => "leaked",
            Self::Status => "status",
            Self::Problem => "problem",
            Self::Unanswered => "unanswered",
            Self::Remained => "remained",
            Self::Bystander => "bystander",
        }
    }
}
