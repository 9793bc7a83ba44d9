//! What separates a sandbox from the host, as found on this machine.

use serde::{Deserialize, Serialize};

/// The walls around every sandbox of a backend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Isolation {
    /// Each wall and its state.
    pub walls: Vec<Wall>,
}

/// One layer of the isolation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wall {
    /// Short and stable: "seccomp", "cgroup_memory".
    pub name: String,
    /// How much it can be relied on.
    pub state: WallState,
    /// For the operator: what is in force, or what is missing and how to get it.
    pub detail: String,
}

/// How much a wall can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WallState {
    /// By the kernel, without gaps.
    Enforced,
    /// By a weaker means, because this host does not allow the strong one.
    BestEffort,
    /// Not at all.
    Missing,
}

/// One word for all walls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Every wall is enforced.
    Full,
    /// Some wall is weaker than it could be.
    Degraded,
}

impl Isolation {
    /// The weakest wall decides.
    pub fn level(&self) -> Level {
        if self.walls.iter().all(|wall| wall.state == WallState::Enforced) {
            Level::Full
        } else {
            Level::Degraded
        }
    }
}

impl Level {
    /// The word used on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Degraded => "degraded",
        }
    }
}

impl WallState {
    /// The word used on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enforced => "enforced",
            Self::BestEffort => "best_effort",
            Self::Missing => "missing",
        }
    }
}
