//! Background tasks with names, so that all of them can be waited for at the end.

use std::future::Future;

use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// The tasks of the worker.
#[derive(Clone, Debug, Default)]
pub struct Tasks(TaskTracker);

impl Tasks {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts one. `name` appears in the log beside whatever it says.
    pub fn spawn<T: Send + 'static>(
        &self,
        name: &'static str,
        task: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.0.spawn(task.instrument(tracing::info_span!("task", name)))
    }

    /// Waits until every one has ended; none may be started any more.
    pub async fn finish(&self) {
        self.0.close();
        self.0.wait().await;
    }
}
