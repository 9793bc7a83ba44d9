//! `doctor`: what the self-test at start finds, for a person or a program, without a service.

mod findings;
mod host;
mod table;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::boot::{Booted, boot, runtime};
use crate::config::{DoctorWanted, Settings};
use crate::sandbox::backend::SandboxBackend;
use crate::sandbox::isolation::{Isolation, Refusal, WallState};
use crate::sandbox::linux::{BootError, LinuxBackend, control};
use findings::{Findings, Level};

/// Examines this host with the settings of the environment, and with `python` for the packages of
/// Python if those name none. Must be called while the process has one thread.
pub fn run_from_env(wanted: &DoctorWanted, python: Option<PathBuf>) -> ExitCode {
    match Settings::from_env() {
        Ok(mut settings) => {
            settings.python_environment = settings.python_environment.or(python);
            run(&settings, wanted)
        }
        Err(refused) => refused.tell("execution_service"),
    }
}

/// As [`run_from_env`], with these settings.
pub(crate) fn run(settings: &Settings, wanted: &DoctorWanted) -> ExitCode {
    if wanted.control {
        return run_control(settings, wanted);
    }
    let findings = match examine(settings) {
        Ok(findings) => findings,
        Err(error) => match error.downcast::<BootError>() {
            Ok(BootError::Refused(Refusal(walls))) => {
                Findings::without_sandbox(Level::Refused, walls)
            }
            Ok(BootError::SaidElsewhere) => return ExitCode::FAILURE,
            Ok(error @ BootError::Failed { .. }) => return fault(&error),
            Err(error) => return fault(&*error),
        },
    };
    if tell(&findings, settings, wanted) && findings.level != Level::Refused {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The walls as they are found where there are none: to find one is the failure.
fn run_control(settings: &Settings, wanted: &DoctorWanted) -> ExitCode {
    let walls = match control() {
        Ok(Isolation { walls }) => walls,
        Err(error) => return fault(&error),
    };
    let all_missing = walls.iter().all(|wall| wall.state == WallState::Missing);
    let findings = Findings::without_sandbox(Level::Control, walls);
    if tell(&findings, settings, wanted) && all_missing {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn examine(settings: &Settings) -> anyhow::Result<Findings> {
    let Booted { namespaced: _held, discovery, launched, .. } = boot(settings, (), None)?;
    let isolation = runtime()?.block_on(async {
        let backend = LinuxBackend::new(launched)?;
        anyhow::Ok(backend.examine().await)
    })?;
    Ok(Findings::of(isolation, &discovery, &settings.demands()))
}

/// Whether it could be told.
fn tell(findings: &Findings, settings: &Settings, wanted: &DoctorWanted) -> bool {
    let written = if wanted.json {
        findings.write_json(std::io::stdout().lock())
    } else {
        table::write(findings, &settings.demands(), anstream::stdout().lock())
    };
    written.is_ok()
}

fn fault(error: &dyn std::error::Error) -> ExitCode {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    let _ = writeln!(std::io::stderr(), "doctor: {text}");
    ExitCode::FAILURE
}
