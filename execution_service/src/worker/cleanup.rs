//! What is done behind the answer to a run that was stopped.

use std::time::Instant;

use tokio::sync::OwnedMutexGuard;

use super::Worker;
use super::place::Place;
use crate::execution::runner::Runner;
use crate::execution::sharing::Share;
use crate::sandbox::backend::{Killed, ProcessId, ProcessTree, SandboxError};

/// What is left to do behind the answer to a run that was stopped: what it has started must not go on. Until that is
/// done nothing else runs in its context.
pub(super) struct Cleanup {
    pub(super) place: Place,
    pub(super) process: ProcessId,
    pub(super) began: Instant,
    pub(super) share: Share,
    /// Held until it is done.
    pub(super) _runner: OwnedMutexGuard<Runner>,
}

impl Cleanup {
    /// Kills what the run has left, and nothing else that lives in the session: not the interpreters of other
    /// contexts, not commands, not what earlier runs have left.
    pub(super) async fn carry_out(self, worker: &Worker) {
        let Self { place: Place { session, context: _ }, process, began, share, _runner } = self;
        let spared = session.others_than(process);
        // What has lost its parents may be anybody's, unless nobody else was there.
        let orphans = !share.is_shared();
        let tree = ProcessTree { root: process, spared, since: began, orphans };
        match session.sandbox.kill_tree(&tree).await {
            // The session has ended meanwhile, and everything with it.
            Err(SandboxError::Gone) => {}
            Ok(Killed::Tree) => {}
            Ok(Killed::Everything) => {
                tracing::info!(session_id = session.id, "all processes of a session were killed");
            }
            // The run has been answered, and what it has started may go on.
            Err(error) => {
                tracing::error!(session_id = session.id, %error, "ended: a run in it cannot be stopped");
                worker.lose(&session);
            }
        }
    }
}
