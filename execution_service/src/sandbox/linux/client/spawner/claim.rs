//! A claim to something that the spawner has made.

use super::requests::Requests;
use crate::sandbox::linux::wire::spawner::SpawnerRequest;

/// See the module. Whoever asked for it may be gone when it comes, as a caller who
/// hangs up: dropped, this ends it.
pub struct Claim {
    pub(super) requests: Requests,
    pub(super) end: Option<SpawnerRequest>,
}

impl Claim {
    /// Somebody else sees to its end from here on.
    pub fn keep(mut self) {
        self.end = None;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Without a runtime the worker itself is ending, and the spawner sees that.
        if let Some(end) = self.end.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let requests = self.requests.clone();
            runtime.spawn(async move { requests.ask(end, Vec::new()).await.map(drop) });
        }
    }
}
