//! Files that a run has left with the worker.

use super::Executions;
use super::stored::{DEADLINE, Output, Stored};
use crate::domain::artifact::{Artifact, FilePath};
use crate::domain::byte_range::ByteRange;
use crate::domain::execution::ExecutionState;
use crate::domain::ids::{ExecutionId, UserId};
use crate::domain::report::Report;
use crate::domain::timestamp::Timestamp;
use crate::services::Error;
use crate::workers::client::{self, Call};

impl Executions {
    /// A file of a user's run that was collected, or a large result, or the part of it that `range` names.
    ///
    /// # Errors
    /// [`Error::ExecutionNotFound`], [`Error::ExecutionStillRunning`], [`Error::ArtifactNotFound`],
    /// [`Error::OutputGone`] or [`Error::NoSuchRange`].
    pub async fn artifact(
        &self,
        user: &UserId,
        id: &ExecutionId,
        path: &FilePath,
        range: Option<ByteRange>,
        request_id: &str,
    ) -> Result<Output, Error> {
        let execution = self.get(user, id).await?;
        let worker = self.home(&execution)?.clone();
        let promised = match execution.state {
            ExecutionState::Queued | ExecutionState::Running => {
                return Err(Error::ExecutionStillRunning);
            }
            // The worker may have it, although there was nobody to tell.
            ExecutionState::Cancelled | ExecutionState::Unknown => None,
            ExecutionState::Finished(run) => run
                .report
                .and_then(|report| artifacts(&report).find(|one| one.path == *path).cloned()),
        };
        let call = Call { request_id: request_id.to_owned(), deadline: DEADLINE };
        let (user, id) = (user.clone(), id.clone());
        let stored = client::Stored::Artifact(path.clone());
        match (Stored { worker, call, user, id, stored }).output(range).await {
            Err(Error::OutputNotKept) => Err(match promised {
                None => Error::ArtifactNotFound,
                Some(Artifact { until, .. }) => {
                    Error::OutputGone { expired: until <= Timestamp::now() }
                }
            }),
            found => found,
        }
    }
}

fn artifacts(report: &Report) -> impl Iterator<Item = &Artifact> {
    let results = report.results.iter().flat_map(|result| result.stored.values());
    report.outcome.collected.iter().flat_map(|collected| &collected.artifacts).chain(results)
}
