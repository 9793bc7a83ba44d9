//! `crucible doctor`: the worker's examination of this host, with what the launcher would tell a
//! worker; and, if that is asked for, the attack on a whole service.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ::settings::Given;

use crate::cli::Doctor;
use crate::launch::{python, report};
use crate::provision::BOUND;
use crate::settings::Settings;

/// Must be called while the process has one thread.
pub fn run(doctor: &Doctor) -> ExitCode {
    let Doctor { walls, attacks, attack, data_dir } = doctor;
    if *attacks {
        return run_attack(attack::Options { json: walls.json, ..attack.clone() });
    }
    let given = match data_dir {
        Some(directory) => Given::default().with("data_dir", directory),
        None => Given::default(),
    };
    let root = rustix::process::geteuid().is_root();
    match Settings::of_process(&given, root) {
        Ok(settings) => {
            let python = std::env::current_exe()
                .ok()
                .and_then(|launcher| python::existing(&settings, &launcher, root));
            execution_service::doctor::run_from_env(walls, python)
        }
        Err(refused) => refused.tell("crucible"),
    }
}

/// The service that is attacked is the operator's launcher, with the Python that the operator has.
fn run_attack(options: attack::Options) -> ExitCode {
    let executable = match std::env::current_exe() {
        Ok(executable) => executable,
        Err(error) => {
            let error = anyhow::Error::from(error).context("the path of this executable");
            report::failure(&error);
            return ExitCode::FAILURE;
        }
    };
    let own_service = options.url.is_none() && !options.list;
    let python_environment = own_service.then(|| provisioned_python(&executable)).flatten();
    attack::run(options, &attack::Launcher { executable, bound: BOUND, python_environment })
}

/// The Python that the operator's own data directory holds, if there is one.
fn provisioned_python(launcher: &Path) -> Option<PathBuf> {
    let root = rustix::process::geteuid().is_root();
    let settings = Settings::read(&Given::default(), ::settings::environment, root).ok()?;
    // Asking the interpreters takes a moment.
    settings.data_directory.join("python").is_dir().then_some(())?;
    python::existing(&settings, launcher, root)
}
