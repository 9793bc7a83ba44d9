//! What a run leaves in its workspace, and what it changes there.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::Run;
use crate::execution::artifacts::{self, Collected, LargeResults};
use crate::execution::changes::{self, Before, Changes};
use crate::execution::request::Request;
use crate::execution::runner::Runner;
use crate::language::{Approach, Mode};
use crate::sandbox::backend::Sandbox;
use crate::sandbox::files::Tree;

/// How long whoever has cancelled a run waits for files that it has left. Who went away need not wait longer, either.
const LEAVING: Duration = Duration::from_secs(1);

/// A workspace whose changes are to be told.
pub struct Watched {
    /// As it is known to be; absent where it has to be looked at.
    pub known: Option<Arc<Tree>>,
}

impl Run<'_> {
    /// The workspace as the program will find it, with the files that the run brings.
    pub(super) async fn look_before(&self, runner: &Runner) -> Option<Before> {
        let Watched { known } = self.watched.as_ref()?;
        let known = known.clone().filter(|_| self.request.files.is_empty());
        Before::of(runner.sandbox.as_ref(), known).await
    }

    /// The workspace as the program has left it.
    pub(super) async fn look_after(&self, sandbox: &dyn Sandbox) -> Option<Arc<Tree>> {
        self.watched.as_ref()?;
        changes::listing(sandbox).await
    }

    /// What the run has changed, as far as that could be seen.
    pub(super) fn changes(&self, before: Option<&Before>, after: Option<&Tree>) -> Option<Changes> {
        self.watched.as_ref()?;
        let seen = before.zip(after).map(|(before, after)| before.compared(after));
        let mut changes = seen.unwrap_or(Changes { files: Vec::new(), truncated: true });
        if let Approach::Compiled(language) = self.request.language.approach() {
            // The code itself lies there, too.
            let source = language.source_file().as_bytes();
            changes.files.retain(|file| file.path.as_bytes() != source);
        }
        Some(changes)
    }

    /// The files that were asked for, when the program has ended.
    pub(super) async fn collect(
        &self,
        runner: &Runner,
        large: Option<&LargeResults>,
    ) -> Option<Collected> {
        let patterns = self.request.collect.as_ref()?;
        let Request { id, owner, .. } = self.request;
        if self.mode == Mode::Once {
            // Nothing of it goes on after this, and nothing is to change what is read now. If it cannot be
            // killed, there is nobody to read it from either.
            let _ = runner.sandbox.kill_all().await;
        }
        let taken = large.map(LargeResults::names).unwrap_or_default();
        let (sandbox, owner) = (runner.sandbox.as_ref(), (&**id, &**owner));
        let collecting = artifacts::collect(sandbox, patterns, self.outputs, owner, &taken);
        let leaving = async {
            self.cancelled.cancelled().await;
            sleep(LEAVING).await;
        };
        tokio::select! {
            biased;
            collected = collecting => Some(collected),
            () = leaving => Some(Collected { truncated: true, ..Collected::default() }),
        }
    }
}
