//! The task of one execution: the worker's events into the log and into the report, and an honest end.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::Executions;
use super::deadline::GRACE;
use super::follow::Ongoing;
use super::in_words::in_words;
use super::log::End;
use super::record::Record;
use crate::domain::capture::Capture;
use crate::domain::event::{Event, OutputStream};
use crate::domain::execution::ExecutionState;
use crate::domain::ids::{ExecutionId, UserId};
use crate::domain::model_text::{ForModel, Kind, Material, Order};
use crate::domain::report::{Outcome, Report, RichResult};
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
                Err(Error::ExecutionUnknown(id, Some(error)))
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
        ongoing.log.accept();
        let (mut stdout, mut stderr, mut results) =
            (Capture::default(), Capture::default(), Vec::new());
        let mut left = MAX_RESULTS;
        let mut order = self.run.wishes.for_model.map(|_| Order::default());
        while let Some(event) = events.next().await? {
            *accepted = true;
            match &event {
                Event::Started => ongoing.begin(),
                Event::Output { stream: OutputStream::Stdout, offset, data } => {
                    let length = stdout.absorb(*offset, data);
                    order.iter_mut().for_each(|order| order.note(Kind::Stdout, length));
                }
                Event::Output { stream: OutputStream::Stderr, offset, data } => {
                    let length = stderr.absorb(*offset, data);
                    order.iter_mut().for_each(|order| order.note(Kind::Stderr, length));
                }
                Event::Result(result) if result.clears() => {
                    order.iter_mut().for_each(|order| order.note(Kind::Cleared, 1));
                    continue;
                }
                Event::Result(result) => {
                    left = left
                        .checked_sub(result.size())
                        .ok_or(client::Error::Malformed("results without end"))?;
                    results.push(result.clone());
                    order.iter_mut().for_each(|order| order.note(Kind::Result, 1));
                }
                Event::Outcome(outcome) => {
                    let outcome = (**outcome).clone();
                    ongoing.log.finish_output();
                    ongoing.log.append(event);
                    let mut done = Done { stdout, stderr, results, outcome };
                    done.stdout.end(done.outcome.stdout.bytes);
                    done.stderr.end(done.outcome.stderr.bytes);
                    let (done, text) = match self.run.wishes.for_model.zip(order) {
                        None => (done, None),
                        Some((wish, order)) => {
                            let (done, text) = text_for_model(done, id, wish, order).await?;
                            (done, Some(text))
                        }
                    };
                    let Done { stdout, stderr, results, outcome } = done;
                    return Ok(Report {
                        stdout: stdout.finish(outcome.stdout.bytes),
                        stderr: stderr.finish(outcome.stderr.bytes),
                        outcome,
                        results,
                        text,
                        isolation: account.isolation.clone(),
                    });
                }
            }
            ongoing.log.append(event);
        }
        Err(client::Error::Malformed("events without an outcome"))
    }
}

/// All that came of a run.
struct Done {
    stdout: Capture,
    stderr: Capture,
    results: Vec<Arc<RichResult>>,
    outcome: Outcome,
}

/// What a model should read of it. Megabytes take tens of milliseconds: on another thread than the one that
/// serves others.
async fn text_for_model(
    done: Done,
    id: &ExecutionId,
    wish: ForModel,
    order: Order,
) -> Result<(Done, String), client::Error> {
    const SHORT: usize = 256 << 10;
    let results: usize = done.results.iter().map(|result| result.size()).sum();
    let length = done.stdout.bytes().len() + done.stderr.bytes().len() + results;
    let id = id.clone();
    let write = move || {
        let Done { stdout, stderr, results, outcome } = &done;
        let order = &order;
        let material = Material { id: &id, outcome, stdout, stderr, results, order, in_words };
        let text = material.text(wish);
        (done, text)
    };
    if length <= SHORT {
        return Ok(write());
    }
    let written = tokio::task::spawn_blocking(write).await;
    written.map_err(|_| client::Error::Malformed("what no text can be made of"))
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
