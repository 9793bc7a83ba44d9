//! The worker as a binary of its own, configured by environment alone. `--help` lists the names.

use std::process::ExitCode;

fn main() -> ExitCode {
    execution_service::run_from_env()
}
