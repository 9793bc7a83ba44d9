//! The `crucible` executable: the launcher, and under hidden subcommands the services it starts.
//!
//! A plain `fn main` without a runtime: the worker has to fork and unshare while it is still the
//! only thread of its process.

use std::process::ExitCode;

use clap::Parser;
use standalone::cli::{Cli, Role};
use standalone::{attack, launch, provision};

fn main() -> ExitCode {
    let Cli { flags, role } = Cli::parse();
    match role {
        None => launch::run(&flags),
        Some(Role::Worker) => launch::role::worker(),
        Some(Role::Gateway) => launch::role::gateway(),
        Some(Role::Attack(options)) => attack::run(options),
        Some(Role::Bound { command }) => {
            eprintln!("{}", provision::become_command(command));
            ExitCode::from(127)
        }
    }
}
