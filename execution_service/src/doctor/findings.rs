//! What was found, as a program reads it.

use std::io::{self, Write};

use serde::Serialize;

use super::host::{self, HostSetting};
use crate::language::discovery::{Discovery, Found, Missing};
use crate::sandbox::isolation::{self, Demand, Isolation, Wall, WallState};

/// Everything that was found.
#[derive(Debug, Serialize)]
pub(super) struct Findings {
    /// What the service would be.
    pub(super) level: Level,
    pub(super) walls: Vec<WallFound>,
    pub(super) languages: Vec<LanguageFound>,
    /// What could be better on the host, and changes nothing of the level.
    pub(super) host: Vec<HostSetting>,
}

/// What the service would be on this host, with these settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Level {
    /// Every wall stands.
    Full,
    /// It would start, and say that some wall is weaker.
    Degraded,
    /// It would not start.
    Refused,
    /// Not of a service: what the attempts come to where no wall stands.
    Control,
}

/// One wall.
#[derive(Debug, Serialize)]
pub(super) struct WallFound {
    pub(super) name: &'static str,
    pub(super) state: WallState,
    /// With the present settings.
    pub(super) required: bool,
    pub(super) tried: &'static str,
    pub(super) seen: String,
    pub(super) remedy: Option<String>,
}

/// One language.
#[derive(Debug, Serialize)]
pub(super) struct LanguageFound {
    pub(super) name: &'static str,
    pub(super) found: bool,
    /// Version and path, or why it is missing.
    pub(super) seen: String,
    pub(super) remedy: Option<String>,
}

impl Findings {
    /// Of a host on which sandboxes could be made.
    pub(super) fn of(isolation: Isolation, discovery: &Discovery, demands: &[Demand]) -> Self {
        let unsuitable = discovery.missing.iter().any(|missing| missing.named);
        let level = match (isolation.suffices(demands), isolation.level()) {
            (Err(_), _) => Level::Refused,
            (Ok(()), _) if unsuitable => Level::Refused,
            (Ok(()), isolation::Level::Full) => Level::Full,
            (Ok(()), isolation::Level::Degraded) => Level::Degraded,
        };
        let found = discovery.found.iter().map(found);
        let languages = found.chain(discovery.missing.iter().map(missing)).collect();
        let walls = isolation.walls.into_iter().map(|known| wall(known, demands)).collect();
        Self { level, walls, languages, host: host::settings() }
    }

    /// Of no sandbox at all.
    pub(super) fn without_sandbox(level: Level, walls: Vec<Wall>) -> Self {
        let walls = walls.into_iter().map(|known| wall(known, &[])).collect();
        Self { level, walls, languages: Vec::new(), host: Vec::new() }
    }

    /// As one JSON object.
    pub(super) fn write_json(&self, mut to: impl Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut to, self)?;
        writeln!(to)
    }
}

fn wall(wall: Wall, demands: &[Demand]) -> WallFound {
    let required = wall.is_required(demands);
    let Wall { name, state, need: _, tried, seen, remedy } = wall;
    WallFound { name, state, required, tried, seen, remedy }
}

fn found(Found { language, toolchain }: &Found) -> LanguageFound {
    let seen = format!("{} ({})", toolchain.version, toolchain.executable.display());
    LanguageFound { name: language.name(), found: true, seen, remedy: None }
}

fn missing(Missing { language, named: _, reason, remedy }: &Missing) -> LanguageFound {
    LanguageFound {
        name: language.name(),
        found: false,
        seen: reason.clone(),
        remedy: Some(remedy.clone()),
    }
}
