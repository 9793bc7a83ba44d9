//! What a program writes to one stream, on its way to a file if it needs one.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::Instrument;

use super::claim::Claim;
use super::entry::Name;
use super::writer::{Block, When, write};
use super::{Outputs, PATIENCE};
use crate::execution::stream::Stored;

/// What is gathered before any of it is written: what an answer holds of a stream unless its caller
/// wants more. So the file of most outputs is not even begun before the answer is out.
const BLOCK: usize = 1 << 20;
/// What is written at once after that, at least, while the program goes on: a write of few bytes costs as
/// much.
const LITTLE: usize = 64 << 10;

/// One stream's way to its file. A running program's stream holds two blocks of memory at most, one that grows
/// and one
/// that is written, each longer by what one read of a pipe brings: 2.5 MiB. Then the program waits for the
/// disk. What is still in the pipe when it ends comes on top of that, 1 MiB at most.
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
    claim: Arc<Claim>,
    /// Bytes that may still be taken.
    left: u64,
    /// Bytes for which there was room in the store, in the file or on their way to it.
    granted: u64,
    pending: Vec<u8>,
    blocks: mpsc::UnboundedSender<Block>,
    /// For one block at the writer; closed when the disk takes no more.
    room: Arc<Semaphore>,
    writer: JoinHandle<Option<u64>>,
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
        if let State::Filed(filed) = &self.state
            && filed.pending.len() >= BLOCK
        {
            // It fails when the file is given up: then there is room without end.
            let _ = filed.room.acquire().await;
        }
    }

    /// Takes what was read.
    pub(super) fn push(&mut self, data: &[u8]) {
        self.total += length_of(data);
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
    /// not stored: because it need not be, or could not. What is still to be written is written behind
    /// the answer, unless the disk is far behind already; should it fail then, the file has less than is
    /// said here, and its readers are told.
    pub(super) async fn finish(mut self, cut: bool) -> Option<Stored> {
        if let State::Held { store: _, owner: _, data } = &self.state
            && (cut || std::str::from_utf8(data).is_err())
        {
            self.begin();
        }
        match self.state {
            State::Off | State::Held { .. } => None,
            State::Filed(filed) => filed.finish(self.total).await,
        }
    }

    fn begin(&mut self) {
        let State::Held { store, owner, data } = std::mem::replace(&mut self.state, State::Off)
        else {
            return;
        };
        let claim = Arc::new(Claim::new(&store, self.name.clone(), &owner));
        let (blocks, taken) = mpsc::unbounded_channel();
        let room = Arc::new(Semaphore::new(1));
        let writer = write(Arc::clone(&claim), taken, Arc::clone(&room)).in_current_span();
        let writer = store.tasks.spawn(writer);
        let left = store.bounds.stream;
        let mut filed =
            Filed { claim, left, granted: 0, pending: Vec::new(), blocks, room, writer };
        filed.push(&data);
        self.state = State::Filed(filed);
    }
}

impl Filed {
    fn push(&mut self, data: &[u8]) {
        let taken = usize::try_from(self.left).unwrap_or(usize::MAX).min(data.len());
        if taken == 0 || self.room.is_closed() {
            return;
        }
        self.left -= length_of(&data[..taken]);
        self.pending.extend_from_slice(&data[..taken]);
        let enough = if self.granted == 0 { BLOCK } else { LITTLE };
        if self.pending.len() > enough
            && let Ok(room) = Arc::clone(&self.room).try_acquire_owned()
        {
            self.hand_over(Some(room), When::Now);
        }
    }

    /// Gives the writer what was gathered, as far as there is room for it in the store.
    fn hand_over(&mut self, room: Option<OwnedSemaphorePermit>, when: When) {
        let mut data = std::mem::take(&mut self.pending);
        let granted = self.claim.grow(data.len());
        if granted < data.len() {
            tracing::warn!("no more room in OUTPUT_STORE_BYTES: an output is stored in part only");
            data.truncate(granted);
            self.left = 0;
        }
        self.granted += length_of(&data);
        // It fails when the file was given up, which its writer says.
        let _ = self.blocks.send(Block { data, when, room });
    }

    async fn finish(mut self, total: u64) -> Option<Stored> {
        let behind = self.claim.write_behind().filter(|_| !self.room.is_closed());
        let is_behind = behind.is_some();
        if !self.room.is_closed() {
            self.hand_over(behind, if is_behind { When::Later } else { When::Now });
        }
        let Self { claim, left: _, granted, pending: _, blocks, room: _, writer } = self;
        drop(blocks);
        if is_behind {
            return (granted > 0).then(|| claim.publish(granted, total));
        }
        match timeout(PATIENCE, writer).await {
            Ok(Ok(bytes)) => bytes.map(|bytes| claim.publish(bytes, total)),
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
}

fn length_of(data: &[u8]) -> u64 {
    u64::try_from(data.len()).unwrap_or(u64::MAX)
}
