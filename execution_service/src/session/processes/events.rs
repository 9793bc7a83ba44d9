//! What a command says, on its way to its follower.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::sync::mpsc;

use crate::execution::stream::Stream;
use crate::sandbox::backend::ProcessId;
use crate::sandbox::spec::Exit;

/// What is read at once. Events that a follower has not taken yet are few and full rather than many.
pub(super) const PIECE: usize = 16 << 10;
/// Events on their way to a follower; a command whose follower takes no more waits, as at a full pipe. A stream
/// that nobody reads thus holds 64 KiB here, and as long as its command runs 32 KiB in two buffers.
pub(super) const IN_FLIGHT: usize = 4;

/// What a command tells its follower. An [`ProcessEvent::Ended`] is the last.
#[derive(Debug, PartialEq, Eq)]
pub enum ProcessEvent {
    /// It runs.
    Started(ProcessId),
    /// It wrote something.
    Output {
        /// Where.
        stream: Stream,
        /// Position of the first byte in the whole stream.
        offset: u64,
        /// What.
        data: Vec<u8>,
    },
    /// It has ended.
    Ended(Exit),
}

type Queue = Mutex<mpsc::Receiver<ProcessEvent>>;

/// What a follower hears of a command.
pub struct Events(Arc<Queue>);

/// Where it is told. A follower who hears nothing may hold the other end for hours, so that what is on its
/// way can be taken back from here.
pub(super) struct Telling {
    sender: mpsc::Sender<ProcessEvent>,
    queue: Arc<Queue>,
}

/// Both ends.
pub(super) fn channel() -> (Telling, Events) {
    let (sender, receiver) = mpsc::channel(IN_FLIGHT);
    let queue = Arc::new(Mutex::new(receiver));
    (Telling { sender, queue: Arc::clone(&queue) }, Events(queue))
}

impl futures::Stream for Events {
    type Item = ProcessEvent;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<ProcessEvent>> {
        lock(&self.0).poll_recv(context)
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let mut queue = lock(&self.0);
        queue.close();
        while queue.try_recv().is_ok() {}
    }
}

impl Telling {
    /// Waits for room; `false` when nobody listens any more.
    pub(super) async fn tell(&self, event: ProcessEvent) -> bool {
        self.sender.send(event).await.is_ok()
    }

    /// Completes when all was heard, or nobody listens.
    pub(super) async fn all_is_heard(&self) {
        let _ = self.sender.reserve_many(IN_FLIGHT).await;
    }

    /// Takes back what was not heard, and leaves the end in its place, unless it `was_told` and was heard.
    pub(super) fn cut_short(&self, exit: Exit, was_told: bool) {
        let mut unheard = 0;
        let mut queue = lock(&self.queue);
        while queue.try_recv().is_ok() {
            unheard += 1;
        }
        drop(queue);
        if unheard > 0 || !was_told {
            // There is room now, and if nobody listens, nobody need be told.
            let _ = self.sender.try_send(ProcessEvent::Ended(exit));
        }
    }
}

fn lock(queue: &Queue) -> MutexGuard<'_, mpsc::Receiver<ProcessEvent>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}
