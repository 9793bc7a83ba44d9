//! The `crucible` executable: the launcher, `doctor`, and under hidden subcommands the services that it
//! starts. What a sandbox starts of it translates TypeScript.
//!
//! A plain `fn main` without a runtime: the worker has to fork and unshare while it is still the
//! only thread of its process.

use std::process::ExitCode;

use standalone::cli::{Cli, Role};
use standalone::{doctor, launch, provision};

fn main() -> ExitCode {
    if let Some(code) = typescript::serve_if_asked(std::env::args_os()) {
        return code;
    }
    let (given, role) = match Cli::read(std::env::args_os()) {
        Ok(read) => read,
        Err(help_or_error) => help_or_error.exit(),
    };
    match role {
        None => launch::run(&given),
        Some(Role::Doctor(wanted)) => doctor::run(&wanted),
        Some(Role::Worker) => launch::role::worker(),
        Some(Role::Gateway) => launch::role::gateway(),
        Some(Role::Bound { command }) => {
            eprintln!("{}", provision::become_command(command));
            ExitCode::from(127)
        }
    }
}
