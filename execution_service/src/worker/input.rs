//! Standard input of runs that were started with an open one.

use tokio_util::bytes::Bytes;

use super::{Worker, WorkerError};
use crate::execution::input::InputError;

impl Worker {
    /// Writes to the standard input of a run, also while that waits for its turn.
    ///
    /// # Errors
    /// [`WorkerError::ExecutionNotFound`] or [`WorkerError::Input`].
    pub async fn write_input(
        &self,
        execution_id: &str,
        owner: &str,
        data: Bytes,
        end: bool,
    ) -> Result<(), WorkerError> {
        let input = match self.lock_running().get(execution_id) {
            Some(run) if run.owner == owner => run.input.clone().ok_or(InputError::Closed)?,
            Some(_) | None => return Err(WorkerError::ExecutionNotFound),
        };
        Ok(input.write(data, end).await?)
    }
}
