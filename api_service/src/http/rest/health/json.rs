//! `/health`, `/livez`, `/readyz`.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::rest::fields::words;

use crate::domain::capabilities::{Capabilities, Wall};

/// How the service is.
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthAnswer {
    /// healthy, or unhealthy when the database or the worker is down.
    #[schema(schema_with = words::health)]
    pub status: &'static str,
    /// up or down.
    #[schema(schema_with = words::up_or_down)]
    pub database: &'static str,
    /// up or down.
    #[schema(schema_with = words::up_or_down)]
    pub worker: &'static str,
    /// What stands between code and the host; null while the worker is down.
    #[schema(required)]
    pub isolation: Option<IsolationBody>,
}

/// What stands between code and the host.
#[derive(Debug, Serialize, ToSchema)]
pub struct IsolationBody {
    /// full or degraded.
    #[schema(schema_with = words::isolation)]
    pub level: String,
    /// Layer by layer.
    pub walls: Vec<WallBody>,
}

/// One layer.
#[derive(Debug, Serialize, ToSchema)]
pub struct WallBody {
    /// What it is called.
    #[schema(example = "seccomp")]
    pub name: String,
    /// enforced, best_effort or missing.
    #[schema(schema_with = words::wall_state)]
    pub state: String,
}

/// An answer for probes.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProbeAnswer {
    /// ok, or not_ready.
    #[schema(schema_with = words::probe)]
    pub status: &'static str,
}

impl HealthAnswer {
    /// True when everything is up.
    pub fn is_healthy(database_is_up: bool, worker: Option<&Capabilities>) -> bool {
        database_is_up && worker.is_some()
    }

    /// From what is known.
    pub fn of(database_is_up: bool, worker: Option<&Capabilities>) -> Self {
        let healthy = Self::is_healthy(database_is_up, worker);
        Self {
            status: if healthy { "healthy" } else { "unhealthy" },
            database: if database_is_up { "up" } else { "down" },
            worker: if worker.is_some() { "up" } else { "down" },
            isolation: worker.map(IsolationBody::of),
        }
    }
}

impl IsolationBody {
    /// As the worker found it.
    pub fn of(worker: &Capabilities) -> Self {
        Self {
            level: worker.isolation.clone(),
            walls: worker.walls.iter().cloned().map(wall).collect(),
        }
    }
}

fn wall(wall: Wall) -> WallBody {
    // What was seen on the host is for its administrators: `super::doctor`.
    let Wall { name, state, detail: _, remedy: _ } = wall;
    WallBody { name, state }
}
