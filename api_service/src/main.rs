//! `api_service`: the gateway as a binary of its own. `--help` explains every setting.

use std::process::ExitCode;

fn main() -> ExitCode {
    api_service::run_from_command_line(std::env::args_os())
}
