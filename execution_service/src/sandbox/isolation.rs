//! What separates a sandbox from the host, as found on this machine.

use std::fmt;

use serde::Serialize;

/// The walls around every sandbox of a backend, each of them tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Isolation {
    /// Each wall and its state.
    pub walls: Vec<Wall>,
}

/// One layer of the isolation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wall {
    /// Short and stable: "seccomp", "cgroup_memory".
    pub name: &'static str,
    /// How much it can be relied on.
    pub state: WallState,
    /// Whether there is a service without it.
    pub need: Need,
    /// What was done to find out.
    pub tried: &'static str,
    /// What came of it.
    pub seen: String,
    /// What the operator of this host can do about it; nothing for a wall that is enforced.
    pub remedy: Option<String>,
}

/// How much a wall can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WallState {
    /// By the kernel, without gaps.
    Enforced,
    /// By a weaker means, because this host does not allow the strong one.
    BestEffort,
    /// Not at all.
    Missing,
}

/// Whether a worker serves without a wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Never.
    Always,
    /// Only while the operator has not asked for it.
    IfDemanded(Demand),
}

/// A wall that an operator can insist on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Memory and processes limited by cgroups.
    Cgroups,
    /// Processor time limited by a cgroup.
    CpuQuota,
    /// A `/proc` of its own in each sandbox.
    FreshProc,
    /// An id of its own for each sandbox.
    OwnUids,
}

/// One word for all walls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Every wall is enforced.
    Full,
    /// Some wall is weaker than it could be.
    Degraded,
}

/// A host on which nothing of a user's may run: the walls that are wanted and not there.
#[derive(Clone, Debug, thiserror::Error)]
pub struct Refusal(pub Vec<Wall>);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing can be run safely here")?;
        for wall in &self.0 {
            let Wall { name, state, need, tried, seen, remedy } = wall;
            write!(f, "\n  wall {name} is {}", state.words())?;
            if let Need::IfDemanded(demand) = need {
                write!(f, ", and {} is set", demand.variable())?;
            }
            write!(f, "\n    tried:  {tried}\n    seen:   {seen}")?;
            write!(f, "\n    remedy: {}", remedy.as_deref().unwrap_or("none is known"))?;
        }
        Ok(())
    }
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

    /// Whether a service may be built on these walls.
    ///
    /// # Errors
    /// The walls that stand against it.
    pub fn suffices(&self, demands: &[Demand]) -> Result<(), Refusal> {
        let against: Vec<Wall> =
            self.walls.iter().filter(|wall| !wall.suffices(demands)).cloned().collect();
        if against.is_empty() { Ok(()) } else { Err(Refusal(against)) }
    }
}

impl Wall {
    /// Whether nothing runs here without it.
    pub fn is_required(&self, demands: &[Demand]) -> bool {
        match self.need {
            Need::Always => true,
            Need::IfDemanded(demand) => demands.contains(&demand),
        }
    }

    fn suffices(&self, demands: &[Demand]) -> bool {
        match (self.state, self.need) {
            (WallState::Enforced, _) | (WallState::BestEffort, Need::Always) => true,
            (WallState::Missing, Need::Always) => false,
            (WallState::BestEffort | WallState::Missing, Need::IfDemanded(demand)) => {
                !demands.contains(&demand)
            }
        }
    }
}

impl Demand {
    /// The setting that makes it.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Cgroups => "REQUIRE_CGROUPS",
            Self::CpuQuota => "REQUIRE_CPU_QUOTA",
            Self::FreshProc => "REQUIRE_FRESH_PROC",
            Self::OwnUids => "REQUIRE_OWN_UIDS",
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

    /// The same in a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Enforced => "enforced",
            Self::BestEffort => "best effort only",
            Self::Missing => "missing",
        }
    }
}
