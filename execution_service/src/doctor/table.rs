//! What was found, as a person reads it. Colour on a terminal, plain text elsewhere (`anstream` decides).

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::findings::{Findings, LanguageFound, Level, WallFound};
use super::host::HostSetting;
use crate::sandbox::isolation::{Demand, WallState};

const STRONG: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const CAUTION: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// Writes a line for each wall and each language, and below it how to have what is missing.
pub(super) fn write(findings: &Findings, demands: &[Demand], mut to: impl Write) -> io::Result<()> {
    let Findings { level, walls, languages, host } = findings;
    for wall in walls {
        write_wall(wall, &mut to)?;
    }
    writeln!(to)?;
    for LanguageFound { name, found, seen, .. } in languages {
        let (style, state) = if *found { (GOOD, "found") } else { (CAUTION, "missing") };
        writeln!(to, "{name:<18} {style}{state:<11}{style:#} {seen}")?;
    }
    if !host.is_empty() {
        writeln!(
            to,
            "\n{STRONG}The host could be better{STRONG:#} (the service starts all the same)"
        )?;
    }
    for HostSetting { name, seen, remedy: _ } in host {
        writeln!(to, "{name:<18} {CAUTION}{:<11}{CAUTION:#} {seen}", "as it is")?;
    }
    let of_host = host.iter().map(|setting| (setting.name, Some(&setting.remedy)));
    let of_walls = walls.iter().map(|wall| (wall.name, wall.remedy.as_ref()));
    let of_languages = languages.iter().map(|language| (language.name, language.remedy.as_ref()));
    let mut remedies: Vec<(Vec<&str>, &String)> = Vec::new();
    for (name, remedy) in of_walls.chain(of_languages).chain(of_host) {
        let Some(remedy) = remedy else { continue };
        match remedies.iter_mut().find(|(_, known)| *known == remedy) {
            Some((names, _)) if names.contains(&name) => {}
            Some((names, _)) => names.push(name),
            None => remedies.push((vec![name], remedy)),
        }
    }
    if *level == Level::Control {
        remedies.clear();
    }
    if !remedies.is_empty() {
        writeln!(to, "\n{STRONG}Remedies{STRONG:#}")?;
    }
    for (names, remedy) in remedies {
        writeln!(to, "  {}: {remedy}", names.join(", "))?;
    }
    let (style, verdict) = match level {
        Level::Full => (GOOD, "full: every wall stands"),
        Level::Degraded => (CAUTION, "degraded: the service would start, and say so everywhere"),
        Level::Refused => (BAD, "refused: the service would not start"),
        Level::Control => (STRONG, "control: no sandbox was made, so every wall must be missing"),
    };
    writeln!(to, "\n{style}{verdict}{style:#}")?;
    for demand in demands {
        writeln!(to, "  {} is set", demand.variable())?;
    }
    Ok(())
}

fn write_wall(wall: &WallFound, to: &mut impl Write) -> io::Result<()> {
    let WallFound { name, state, required, tried, seen, remedy: _ } = wall;
    let style = match (state, required) {
        (WallState::Enforced, _) => GOOD,
        (WallState::BestEffort, _) | (WallState::Missing, false) => CAUTION,
        (WallState::Missing, true) => BAD,
    };
    let state = state.name();
    writeln!(to, "{name:<18} {style}{state:<11}{style:#} {tried}")?;
    writeln!(to, "{:<30} {seen}", "")
}
