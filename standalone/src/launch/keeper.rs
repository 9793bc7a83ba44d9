//! Keeps one service running.

use std::io;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use thiserror::Error;
use tokio::process::Child;
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::report;
use super::service::Service;

/// How long a service may take to end by itself.
const GRACE: Duration = Duration::from_secs(10);

/// Starts a service again whenever it dies, until it is told to stop.
pub(super) struct Keeper {
    service: Service,
    /// Cancelled when everything has answered once. A service that dies before that would die
    /// again: its settings are wrong, or this machine cannot run it.
    first_answer: CancellationToken,
    stopping: CancellationToken,
    backoff: Backoff,
}

/// A service that never came up.
#[derive(Debug, Error)]
#[error("the {service} ended before it was ready ({status})")]
pub(super) struct StartFailed {
    pub(super) service: &'static str,
    pub(super) status: String,
}

/// What happened first.
enum Turn {
    Died(io::Result<ExitStatus>),
    Stop,
}

impl Keeper {
    pub(super) fn new(
        service: Service,
        first_answer: CancellationToken,
        stopping: CancellationToken,
    ) -> Self {
        Self { service, first_answer, stopping, backoff: Backoff::new() }
    }

    /// Runs until it is told to stop, and then until the service has ended. A service that dies
    /// before everything has answered once stops the others, too.
    pub(super) async fn keep(mut self) -> Result<(), StartFailed> {
        while !self.stopping.is_cancelled() {
            let started = Instant::now();
            let died = match self.service.spawn() {
                Err(error) => error.to_string(),
                Ok(mut child) => {
                    let turn = tokio::select! {
                        status = child.wait() => Turn::Died(status),
                        () = self.stopping.cancelled() => Turn::Stop,
                    };
                    match turn {
                        Turn::Stop => {
                            end(&mut child).await;
                            return Ok(());
                        }
                        Turn::Died(Ok(status)) => status.to_string(),
                        Turn::Died(Err(error)) => error.to_string(),
                    }
                }
            };
            self.after_death(died, started.elapsed()).await?;
        }
        Ok(())
    }

    async fn after_death(&mut self, status: String, lived: Duration) -> Result<(), StartFailed> {
        let service = self.service.name;
        if !self.first_answer.is_cancelled() {
            self.stopping.cancel();
            return Err(StartFailed { service, status });
        }
        let pause = self.backoff.after(lived);
        report::restarting(service, &status, pause);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.stopping.cancelled() => {}
        }
        Ok(())
    }
}

/// SIGTERM, and SIGKILL for one that has not ended ten seconds later.
async fn end(child: &mut Child) {
    // The id is gone only if the child has been reaped, and then nothing is left to end.
    let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw)
    else {
        return;
    };
    // It fails only for a child that is dead already, which the wait below notices.
    let _ = kill_process(pid, Signal::TERM);
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        // The same: there is nothing to be done about a kill that fails but to be gone ourselves.
        let _ = child.kill().await;
    }
}
