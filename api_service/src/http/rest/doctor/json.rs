//! `GET /v1/doctor`: what the worker found out about its host. It names paths, kernels and ids, which are
//! for those who can do something about them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::rest::fields::words;

use crate::domain::capabilities::{Capabilities, MissingLanguage, Wall};
use crate::domain::run::RunRules;

/// What stands between code and the host, with all that was seen, and what does not run.
#[derive(Debug, Serialize, ToSchema)]
pub struct DoctorAnswer {
    /// full or degraded.
    #[schema(schema_with = words::isolation)]
    pub level: String,
    /// Layer by layer.
    pub walls: Vec<TriedWall>,
    /// Languages that were offered and do not run.
    pub missing: Vec<MissingBody>,
}

/// One layer.
#[derive(Debug, Serialize, ToSchema)]
pub struct TriedWall {
    /// What it is called.
    #[schema(example = "seccomp")]
    pub name: String,
    /// enforced, best_effort or missing.
    #[schema(schema_with = words::wall_state)]
    pub state: String,
    /// What was seen when the worker tried it.
    pub detail: String,
    /// What the operator can do about it; null for a layer that is enforced.
    #[schema(required)]
    pub remedy: Option<String>,
}

/// A language that does not run.
#[derive(Debug, Serialize, ToSchema)]
pub struct MissingBody {
    /// python, node, bash or c.
    #[schema(example = "node")]
    pub name: &'static str,
    /// Why.
    pub reason: String,
    /// What the operator can do about it.
    pub remedy: String,
}

impl DoctorAnswer {
    /// What the worker says, as far as the operator wants to offer it.
    pub fn of(worker: &Capabilities, rules: &RunRules) -> Self {
        let offered = |info: &&MissingLanguage| rules.languages.contains(&info.language);
        Self {
            level: worker.isolation.clone(),
            walls: worker.walls.iter().cloned().map(wall).collect(),
            missing: worker.missing.iter().filter(offered).cloned().map(missing).collect(),
        }
    }
}

fn wall(wall: Wall) -> TriedWall {
    let Wall { name, state, detail, remedy } = wall;
    TriedWall { name, state, detail, remedy }
}

fn missing(info: MissingLanguage) -> MissingBody {
    let MissingLanguage { language, reason, remedy } = info;
    MissingBody { name: language.name(), reason, remedy }
}
