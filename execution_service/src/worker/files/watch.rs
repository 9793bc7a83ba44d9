//! Tells what changes in a workspace, while somebody wants to know.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::files::watch::{Change, Seen};
use crate::files::{EVERY_LEVEL, MOST_ENTRIES, Place};
use crate::sandbox::files::{FilePath, Tree};
use crate::session::Session;
use crate::worker::{Worker, WorkerError};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(250);
/// What takes long is looked at seldom: for so many times as long nobody looks.
const REST: u32 = 10;

/// A watched directory of a session.
pub struct Watch {
    worker: Arc<Worker>,
    session: Arc<Session>,
    path: Option<FilePath>,
    depth: u32,
    seen: Option<Seen>,
    pause: Duration,
    _place: Place,
}

/// What came of a look.
#[derive(Debug, Default)]
pub struct Changes {
    /// By path.
    pub changes: Vec<Change>,
    /// There is more than is watched.
    pub truncated: bool,
}

impl Worker {
    /// Begins to watch a directory, `depth` levels of it.
    ///
    /// # Errors
    /// No such session, or too many watchers.
    pub async fn watch_files(
        self: &Arc<Self>,
        session: (&str, &str),
        path: Option<FilePath>,
        depth: u32,
    ) -> Result<Watch, WorkerError> {
        let session = self.session_of_files(session).await?;
        let place = session.files.of_watcher()?;
        let (worker, depth) = (Arc::clone(self), depth.min(EVERY_LEVEL));
        let pause = Duration::ZERO;
        Ok(Watch { worker, session, path, depth, seen: None, pause, _place: place })
    }
}

impl Watch {
    /// The next changes, if there are any by the next look; at first none. It does not count as a use of the session.
    ///
    /// # Errors
    /// The session's end, or a directory that is not there.
    pub async fn next(&mut self) -> Result<Changes, WorkerError> {
        let session = Arc::clone(&self.session);
        let look = async {
            sleep(self.pause).await;
            let begun = Instant::now();
            let tree = session.sandbox.tree(self.path.as_ref(), self.depth, MOST_ENTRIES).await;
            (tree, begun.elapsed())
        };
        let (tree, took) = tokio::select! {
            biased;
            () = session.ended.cancelled() => return Err(self.worker.end_of(&session)),
            looked = look => looked,
        };
        self.pause = PAUSE.max(took * REST);
        let tree: Tree = self.worker.answer(&session, tree)?;
        let truncated = tree.truncated;
        let changes = match &mut self.seen {
            Some(seen) => seen.look(tree),
            None => {
                self.seen = Some(Seen::first(tree));
                Vec::new()
            }
        };
        Ok(Changes { changes, truncated })
    }
}
