//! The worker as a binary of its own. `--help` explains every setting.

use std::process::ExitCode;

fn main() -> ExitCode {
    typescript::serve_if_asked(std::env::args_os())
        .unwrap_or_else(|| execution_service::run_from_command_line(std::env::args_os()))
}
