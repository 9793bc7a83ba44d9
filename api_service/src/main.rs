//! `api_service`: the gateway as a binary of its own, started by its environment alone.

use std::process::ExitCode;

use api_service::config;
use clap::Command;

fn main() -> ExitCode {
    // Settings come from the environment alone; the command line only explains them.
    Command::new("api_service")
        .version(env!("CARGO_PKG_VERSION"))
        .about("The gateway: users, tokens, sessions and runs over HTTP")
        .after_help(config::help())
        .get_matches();
    api_service::run_from_env()
}
