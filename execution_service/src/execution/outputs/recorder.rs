//! What a program writes to one stream, on its way to a file if it needs one.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::shelf::Name;
use super::{Claim, Outputs, Stored};

/// What is handed to the file's task at once, at least: a write of few bytes costs as much.
const BLOCK: usize = 64 << 10;
/// Blocks on their way to the disk. A block may have grown by what one read of a pipe brings, 256 KiB:
/// a stream holds up to 1.5 MiB of memory, and its program waits while the disk takes no more.
const ON_THE_WAY: usize = 2;
/// How long an answer waits for a disk that takes nothing; the file is then given up.
const PATIENCE: Duration = Duration::from_secs(5);

/// See the module.
pub(super) struct Recorder {
    name: Name,
    total: u64,
    state: State,
}

enum State {
    /// Nobody wants it.
    Off,
    /// So far it may turn out to be short.
    Held { store: Arc<Outputs>, owner: String, data: Vec<u8> },
    /// On its way to a file.
    Filed(Filed),
}

struct Filed {
    /// Bytes that the file may still get.
    left: u64,
    pending: Vec<u8>,
    blocks: mpsc::Sender<Vec<u8>>,
    task: JoinHandle<Option<(Claim, u64)>>,
}

impl Recorder {
    pub(super) fn new(store: Option<&Arc<Outputs>>, name: Name, owner: &str) -> Self {
        let state = match store {
            Some(store) => {
                let (store, owner) = (Arc::clone(store), String::from(owner));
                State::Held { store, owner, data: Vec::new() }
            }
            None => State::Off,
        };
        Self { name, total: 0, state }
    }

    /// Completes when more can be taken. Whoever pushes without asking fills our memory.
    pub(super) async fn room(&self) {
        if let State::Filed(filed) = &self.state {
            // It fails when the file is given up: then there is room without end.
            let _ = filed.blocks.reserve().await;
        }
    }

    /// Takes what was read.
    pub(super) fn push(&mut self, data: &[u8]) {
        self.total += u64::try_from(data.len()).unwrap_or_default();
        match &mut self.state {
            State::Off => {}
            State::Held { store, owner: _, data: held } => {
                let long = held.len() + data.len() > store.bounds.known_to_caller;
                held.extend_from_slice(data);
                if long {
                    self.begin();
                }
            }
            State::Filed(filed) => filed.push(data),
        }
    }

    /// The stream has ended; `cut` says that a part of it was left out of the answer. `None` when it is
    /// not stored: because it need not be, or could not.
    pub(super) async fn finish(mut self, cut: bool) -> Option<Stored> {
        if let State::Held { store: _, owner: _, data } = &self.state
            && (cut || std::str::from_utf8(data).is_err())
        {
            self.begin();
        }
        let State::Filed(Filed { left: _, pending, blocks, task }) = self.state else {
            return None;
        };
        let last = async {
            if !pending.is_empty() {
                // It fails when the file was given up, which its task says.
                let _ = blocks.send(pending).await;
            }
            drop(blocks);
            task.await
        };
        match timeout(PATIENCE, last).await {
            Ok(Ok(Some((claim, bytes)))) => Some(claim.keep(bytes, self.total)),
            Ok(Ok(None)) => None,
            Ok(Err(error)) => {
                tracing::error!(%error, "the task that stores an output broke down");
                None
            }
            Err(_) => {
                tracing::warn!("the disk of OUTPUT_DIR takes nothing: an output is not stored");
                None
            }
        }
    }

    fn begin(&mut self) {
        let State::Held { store, owner, data } = std::mem::replace(&mut self.state, State::Off)
        else {
            return;
        };
        let claim = store.claim(self.name.clone(), &owner);
        let (blocks, taken) = mpsc::channel(ON_THE_WAY);
        let task = tokio::spawn(write(claim, taken));
        let mut filed = Filed { left: store.bounds.stream, pending: Vec::new(), blocks, task };
        filed.push(&data);
        self.state = State::Filed(filed);
    }
}

impl Filed {
    fn push(&mut self, data: &[u8]) {
        let taken = usize::try_from(self.left).unwrap_or(usize::MAX).min(data.len());
        if taken == 0 || self.blocks.is_closed() {
            return;
        }
        self.left -= u64::try_from(taken).unwrap_or_default();
        self.pending.extend_from_slice(&data[..taken]);
        if self.pending.len() >= BLOCK
            && let Ok(permit) = self.blocks.try_reserve()
        {
            permit.send(std::mem::take(&mut self.pending));
        }
    }
}

/// Writes a file; gives how much of it there is. `None` when there is none.
async fn write(claim: Claim, mut blocks: mpsc::Receiver<Vec<u8>>) -> Option<(Claim, u64)> {
    let mut file = match claim.create().await {
        Ok(file) => tokio::fs::File::from_std(file),
        Err(error) => {
            tracing::warn!(%error, "an output cannot be stored");
            return None;
        }
    };
    let written = fill(&claim, &mut file, &mut blocks).await;
    // Also what is on its way is not taken any more.
    blocks.close();
    if let Err(error) = written {
        tracing::warn!(%error, "an output is stored in part only");
    }
    match file.metadata().await {
        Ok(found) if found.len() > 0 => Some((claim, found.len())),
        Ok(_) => None,
        Err(error) => {
            tracing::warn!(%error, "an output cannot be stored");
            None
        }
    }
}

async fn fill(
    claim: &Claim,
    file: &mut tokio::fs::File,
    blocks: &mut mpsc::Receiver<Vec<u8>>,
) -> io::Result<()> {
    while let Some(block) = blocks.recv().await {
        let granted = claim.grow(block.len());
        file.write_all(&block[..granted]).await?;
        // A write is only begun by the call; it may fail, and is in the file, after this one.
        file.flush().await?;
        if granted < block.len() {
            return Err(io::Error::other("OUTPUT_STORE_BYTES leaves its owner no more room"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;
    use crate::execution::event::Stream;
    use crate::execution::outputs::{Bounds, Place};

    #[test]
    fn a_slow_disk_holds_up_the_program_and_loses_nothing() {
        const CHUNK: &[u8] = &[b'x'; 100_000];
        let directory = tempfile::tempdir().unwrap();
        let place = Place::prepare(&directory.path().join("outputs"), None).unwrap();
        let bounds = Bounds {
            stream: u64::MAX,
            total: 100 << 20,
            retention: Duration::from_secs(60),
            known_to_caller: 1000,
        };
        let store = Outputs::open_in(place, bounds).unwrap();
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.max_blocking_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            // The one thread that may touch the disk does not come back.
            let (release, held) = std::sync::mpsc::channel::<()>();
            let stuck = tokio::task::spawn_blocking(move || held.recv());
            let name = Name { execution: String::from("1"), stream: Stream::Stdout };
            let mut recorder = Recorder::new(Some(&store), name, "a");
            let mut pushed = 0;
            while recorder.room().now_or_never().is_some() {
                recorder.push(CHUNK);
                pushed += CHUNK.len() as u64;
                assert!(pushed < 1_000_000, "it is all in memory");
                tokio::task::yield_now().await;
            }
            drop(release);
            recorder.room().await;
            recorder.push(CHUNK);
            pushed += CHUNK.len() as u64;
            let stored = recorder.finish(false).await.expect("it is stored");
            assert_eq!(stored.bytes, pushed);
            assert!(stuck.await.unwrap().is_err());
        });
    }
}
