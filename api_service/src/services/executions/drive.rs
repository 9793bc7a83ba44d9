//! The task of one execution: the worker's events into the log and into the report, and an honest end.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::Executions;
use super::deadline::GRACE;
use super::follow::Ongoing;
use super::log::End;
use super::record::Record;
use crate::domain::capture::Capture;
use crate::domain::event::{Event, OutputStream};
use crate::domain::execution::ExecutionState;
use crate::domain::ids::UserId;
use crate::domain::report::Report;
use crate::domain::run::RunRequest;
use crate::services::Error;
use crate::workers::Placement;
use crate::workers::client::{self, Call};

/// Most bytes of results that are taken from a worker, which sends 16 MiB at most. Each counts for
/// something, also an empty one.
const MAX_RESULTS: usize = 32 << 20;

/// Everything that the task needs.
pub(super) struct Drive {
    pub(super) service: Executions,
    pub(super) user: UserId,
    pub(super) placement: Placement,
    pub(super) run: RunRequest,
    pub(super) call: Call,
}

impl Drive {
    /// Until the program has ended, nobody wants it any more, or the gateway stops. What is dropped on the
    /// way ends the run at the worker, and notes it as cancelled.
    pub(super) async fn until_the_end(
        self,
        record: Record,
        ongoing: Ongoing,
        unwanted: CancellationToken,
    ) {
        let (id, stopping) = (record.execution.id.clone(), self.service.stopping.clone());
        let end = tokio::select! {
            // What has ended has ended, whatever else is true by then.
            biased;
            done = self.run(record, &ongoing) => match done {
                Ok(report) => End::Finished(Arc::new(report)),
                Err(error) => End::Failed(error),
            },
            () = unwanted.cancelled() => End::Failed(Error::ExecutionCancelled(id)),
            () = stopping.cancelled() => End::Failed(Error::GatewayStopping),
        };
        ongoing.end(end);
    }

    async fn run(&self, record: Record, ongoing: &Ongoing) -> Result<Report, Error> {
        let Self { service, user, run, call, .. } = self;
        let mut accepted = false;
        let work = self.absorb(&record, ongoing, &mut accepted);
        let done = tokio::time::timeout(call.deadline + GRACE, work).await;
        match done.unwrap_or(Err(client::Error::DeadlineExceeded)) {
            Ok(report) => {
                record.end(ExecutionState::finished(report.for_history())).await?;
                Ok(report)
            }
            Err(error) if is_doubtful(&error, accepted) => {
                let id = record.execution.id.clone();
                record.end(ExecutionState::Unknown).await?;
                Err(Error::ExecutionUnknown(id, error))
            }
            Err(error) => {
                // The worker has said why. What had begun by then is remembered as what it is.
                if accepted {
                    record.end(ExecutionState::Unknown).await?;
                } else {
                    record.take_back().await?;
                }
                let over = match service.session_of(user, run).await? {
                    Some(session) => service.sessions.over(&session, &error).await?,
                    None => None,
                };
                let language = &self.placement.language.name;
                Err(over.unwrap_or_else(|| Error::of_call(error, language)))
            }
        }
    }

    /// The report is made of what is captured here: what makes way in the log does not damage it.
    async fn absorb(
        &self,
        record: &Record,
        ongoing: &Ongoing,
        accepted: &mut bool,
    ) -> Result<Report, client::Error> {
        let Placement { worker, account, language: _ } = &self.placement;
        let (call, id) = (&self.call, &record.execution.id);
        let mut events = worker.client().execute(call, id, &self.user, &self.run).await?;
        let (mut stdout, mut stderr, mut results) =
            (Capture::default(), Capture::default(), Vec::new());
        let mut left = MAX_RESULTS;
        while let Some(event) = events.next().await? {
            *accepted = true;
            match &event {
                Event::Started => ongoing.begin(),
                Event::Output { stream: OutputStream::Stdout, offset, data } => {
                    stdout.absorb(*offset, data);
                }
                Event::Output { stream: OutputStream::Stderr, offset, data } => {
                    stderr.absorb(*offset, data);
                }
                Event::Result(result) => {
                    left = left
                        .checked_sub(result.size())
                        .ok_or(client::Error::Malformed("results without end"))?;
                    results.push(result.clone());
                }
                Event::Outcome(outcome) => {
                    let outcome = (**outcome).clone();
                    return Ok(Report {
                        stdout: stdout.finish(outcome.stdout.bytes),
                        stderr: stderr.finish(outcome.stderr.bytes),
                        outcome,
                        results,
                        isolation: account.isolation.clone(),
                    });
                }
            }
            ongoing.log.append(event);
        }
        Err(client::Error::Malformed("events without an outcome"))
    }
}

/// The worker may have taken the run on before the call failed. One that ends while it runs the code
/// says so in the words in which it refuses more: "try again" would be advice to do it twice.
fn is_doubtful(error: &client::Error, accepted: bool) -> bool {
    match error {
        client::Error::Lost(_) | client::Error::DeadlineExceeded => true,
        client::Error::ShuttingDown(_) => accepted,
        _ => false,
    }
}
