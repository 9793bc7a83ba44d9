//! The task that writes one file.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::sleep;

use super::blocking;
use super::claim::Claim;

/// Until an answer is where it goes: to copy a mebibyte into the page cache takes a processor for a
/// millisecond, which the gateway's part of the answer needs.
const LATER: Duration = Duration::from_millis(20);

/// When to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// Something waits for it.
    Now,
    /// The answer goes out now.
    Later,
}

/// Some of a stream, and the room that it takes until it is written.
pub(super) struct Block {
    pub(super) data: Vec<u8>,
    pub(super) when: When,
    pub(super) room: Option<OwnedSemaphorePermit>,
}

/// Writes what comes until nobody sends any more; gives how much is in the file. `None` when that is
/// nothing. When the disk takes no more, `room` is closed, so that nobody waits for it.
pub(super) async fn write(
    claim: Arc<Claim>,
    mut blocks: mpsc::UnboundedReceiver<Block>,
    room: Arc<Semaphore>,
) -> Option<u64> {
    let mut target = Target { claim: Arc::clone(&claim), file: None, bytes: 0 };
    while let Some(Block { data, room: taken, when }) = blocks.recv().await {
        if when == When::Later {
            sleep(LATER).await;
        }
        let appended = blocking(move || {
            let appended = target.append(&data);
            Ok((target, appended))
        });
        let appended = match appended.await {
            Ok((given_back, appended)) => {
                target = given_back;
                appended
            }
            Err(error) => {
                tracing::error!(%error, "the writing of an output broke down");
                room.close();
                return None;
            }
        };
        if let Err(error) = appended {
            tracing::warn!(%error, bytes = target.bytes, "an output is stored in part only");
            room.close();
            break;
        }
        drop(taken);
    }
    if target.bytes == 0 {
        return None;
    }
    claim.complete(target.bytes);
    Some(target.bytes)
}

/// What is written to. It is made with its first bytes: whoever stores nothing makes no file.
struct Target {
    claim: Arc<Claim>,
    file: Option<File>,
    bytes: u64,
}

impl Target {
    fn append(&mut self, mut data: &[u8]) -> io::Result<()> {
        while !data.is_empty() {
            let file = match &mut self.file {
                Some(file) => file,
                None => self.file.insert(self.claim.create()?),
            };
            match file.write(data) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero)),
                Ok(count) => {
                    self.bytes += u64::try_from(count).unwrap_or_default();
                    data = &data[count..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
