//! `doctor --attack`: the hostile corpus against a real service, with proof that nothing got
//! through and nothing is left.
//!
//! ```text
//! attacks/*.toml ─▶ corpus ─▶ runner ─▶ report
//!                               │  one entry at a time, against the service (ephemeral or --url)
//!                               ├─ judge      what an answer must and must not be
//!                               ├─ leaks      what the host holds is what it held before
//!                               ├─ bystander  another user is served rightly and in time
//!                               └─ canaries   no secret of that user's is in any answer
//! ```

mod bystander;
mod canaries;
pub mod corpus;
mod error;
mod http;
mod judge;
mod launcher;
pub mod leaks;
mod options;
mod report;
mod runner;
mod service;

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use error::AttackError;
pub use launcher::Launcher;
pub use options::{ATTACK, Options};
use report::{AttackReport, Console, harmless_json};

/// Attacks. Success means that everything that can be run here was run, that nothing got through,
/// and that nothing was left.
pub fn run(options: Options, launcher: &Launcher) -> ExitCode {
    let console = Console { json: options.json };
    match attack(&options, launcher, &console) {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(report)) => {
            console.verdict(&report);
            if options.json {
                match serde_json::to_string_pretty(&report) {
                    Ok(text) => println!("{}", harmless_json(&text)),
                    Err(error) => console.error(&error.to_string()),
                }
            }
            if report.held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            console.error(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// `None` when only the list was asked for.
fn attack(
    options: &Options,
    launcher: &Launcher,
    console: &Console,
) -> Result<Option<AttackReport>, AttackError> {
    let mut groups = corpus::load(&options.also)?;
    if let Some(part) = &options.only {
        corpus::only(&mut groups, part);
        if groups.is_empty() {
            return Err(AttackError::NoMatch(part.clone()));
        }
    }
    if options.list {
        console.list(&groups);
        return Ok(None);
    }
    // The kernel ends a service of our own together with the thread that started it, so it is
    // started by this one; the bystander has the other, and is not held up by the looks at `/proc`.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(AttackError::io("a runtime"))?;
    let report = runtime.block_on(async {
        let interrupted = interrupted()?;
        tokio::select! {
            report = runner::run(options, launcher, &groups, console) => report,
            () = interrupted => Err(AttackError::Interrupted),
        }
    })?;
    Ok(Some(report.judged()))
}

/// Ctrl-C, SIGTERM, and the terminal being closed: what runs is dropped, and ends with that.
fn interrupted() -> Result<impl Future<Output = ()>, AttackError> {
    let on = |kind| signal(kind).map_err(AttackError::io("signal handlers"));
    let mut interrupt = on(SignalKind::interrupt())?;
    let mut terminate = on(SignalKind::terminate())?;
    let mut hangup = on(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}
