//! Work that outlives the request that began it.

use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

/// Starts tasks on the main runtime and waits for them at the end. A handler's own future can be
/// dropped at any await; what must be finished all the same is finished here.
#[derive(Debug, Clone)]
pub struct Background {
    tasks: TaskTracker,
    runtime: Handle,
}

impl Background {
    /// On the runtime that this is called in.
    pub fn new() -> Self {
        Self { tasks: TaskTracker::new(), runtime: Handle::current() }
    }

    /// Starts a task that nobody waits for.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn_on(work, &self.runtime);
    }

    /// Runs `work` to its end even when the caller goes away, and gives its result.
    pub async fn finish<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        self.tasks.spawn_on(work, &self.runtime).await.ok()
    }

    /// Waits until everything that was started has ended.
    pub async fn drain(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Default for Background {
    fn default() -> Self {
        Self::new()
    }
}
