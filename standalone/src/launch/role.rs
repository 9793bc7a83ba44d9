//! What this executable does as one of the services that the launcher starts.

use std::process::ExitCode;

use rustix::process::{Signal, getppid, set_parent_process_death_signal};

/// The worker, until it is told to stop. To be called while the process has one thread.
pub fn worker() -> ExitCode {
    match bind_to_launcher() {
        Ok(()) => execution_service::run_from_env(),
        Err(code) => code,
    }
}

/// The gateway, until it is told to stop.
pub fn gateway() -> ExitCode {
    match bind_to_launcher() {
        Ok(()) => api_service::run_from_env(),
        Err(code) => code,
    }
}

/// Asks the kernel to end this process when the launcher ends, however that happens.
fn bind_to_launcher() -> Result<(), ExitCode> {
    let bound = set_parent_process_death_signal(Some(Signal::TERM));
    // The launcher may have died before the request was made; then nobody will ever send it.
    let launcher = std::env::var("LAUNCHER_PID").ok();
    let parent = getppid().map(|parent| parent.as_raw_nonzero().to_string());
    match (bound, launcher) {
        (Ok(()), Some(launcher)) if parent.as_ref() == Some(&launcher) => Ok(()),
        (Ok(()), None) => {
            eprintln!("crucible: this is started by the launcher: run `crucible` alone");
            Err(ExitCode::FAILURE)
        }
        (Ok(()), Some(_)) => Err(ExitCode::FAILURE),
        (Err(error), _) => {
            eprintln!("crucible: cannot be bound to the launcher: {error}");
            Err(ExitCode::FAILURE)
        }
    }
}
