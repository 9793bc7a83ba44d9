//! `crucible doctor`: the worker's examination of this host, with what the launcher would tell a
//! worker; and, if that is asked for, the attack on a whole service.

use std::process::ExitCode;

use crate::attack;
use crate::cli::{Doctor, Flags};
use crate::launch::{python, report};
use crate::settings::{Settings, check_spelling};

/// Must be called while the process has one thread.
pub fn run(doctor: &Doctor) -> ExitCode {
    let Doctor { walls, attacks, attack, data_dir } = doctor;
    if *attacks {
        return attack::run(attack::Options { json: walls.json, ..attack.clone() });
    }
    let flags = Flags { data_dir: data_dir.clone(), ..Flags::default() };
    let root = rustix::process::geteuid().is_root();
    let settings = check_spelling(std::env::vars_os().map(|(name, _)| name))
        .and_then(|()| Settings::read(&flags, &|name| std::env::var_os(name), root));
    match settings {
        Ok(settings) => {
            let python = std::env::current_exe()
                .ok()
                .and_then(|launcher| python::existing(&settings, &launcher, root));
            execution_service::doctor::run_from_env(walls, python)
        }
        Err(error) => {
            report::failure(&anyhow::Error::from(error));
            ExitCode::FAILURE
        }
    }
}
