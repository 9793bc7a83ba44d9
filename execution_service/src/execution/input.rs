//! Standard input that stays open while a program runs: from whoever writes it, in pieces, to a pipe in the sandbox.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
use tokio_util::bytes::Bytes;

use crate::sandbox::backend::InputStream;

/// Bytes on their way to a program that does not read. A single piece may be larger.
const MOST_WAITING: usize = 256 << 10;
/// How long more of them wait for room.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why nothing more was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// It is at its end, or was never open.
    #[error("standard input is not open")]
    Closed,
    /// The program does not read.
    #[error("the program does not read its standard input")]
    Full,
}

/// The input of one run.
#[derive(Debug)]
pub struct Input {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    pieces: VecDeque<Bytes>,
    /// Of all pieces, and of the one that is being written.
    bytes: usize,
    /// Nothing comes behind the pieces.
    ended: bool,
}

impl Input {
    /// One that begins with `beginning`.
    pub fn new(beginning: Bytes) -> Arc<Self> {
        let bytes = beginning.len();
        let pieces = VecDeque::from_iter((bytes > 0).then_some(beginning));
        let state = State { pieces, bytes, ended: false };
        Arc::new(Self { state: Mutex::new(state), changed: Notify::new() })
    }

    /// Takes `data`, and the end behind it if `end`. Waits a moment for room.
    ///
    /// # Errors
    /// [`InputError`]; nothing of it was taken then.
    pub async fn write(&self, data: Bytes, end: bool) -> Result<(), InputError> {
        let patience_ends = Instant::now() + PATIENCE;
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            {
                let mut state = self.state();
                if state.ended {
                    return Err(InputError::Closed);
                }
                if state.bytes == 0 || state.bytes + data.len() <= MOST_WAITING {
                    state.bytes += data.len();
                    state.ended = end;
                    state.pieces.extend((!data.is_empty()).then_some(data));
                    break;
                }
            }
            timeout_at(patience_ends, changed).await.map_err(|_| InputError::Full)?;
        }
        self.changed.notify_waiters();
        Ok(())
    }

    /// Nobody reads any more: whoever writes is told so.
    pub fn close(&self) {
        let mut state = self.state();
        state.ended = true;
        state.pieces.clear();
        drop(state);
        self.changed.notify_waiters();
    }

    /// Writes what comes to where the program reads, once it does. Dropped, the program reads the end of its input.
    pub async fn feed(&self, opening: impl Future<Output = io::Result<InputStream>>) -> Infallible {
        if let Ok(mut writer) = opening.await {
            while let Some(piece) = self.next().await {
                if writer.write_all(&piece).await.is_err() {
                    break;
                }
                self.state().bytes -= piece.len();
                self.changed.notify_waiters();
            }
        }
        self.close();
        pending().await
    }

    /// The next piece; `None` at the end.
    async fn next(&self) -> Option<Bytes> {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            {
                let mut state = self.state();
                if let Some(piece) = state.pieces.pop_front() {
                    return Some(piece);
                }
                if state.ended {
                    return None;
                }
            }
            changed.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does `work`, and meanwhile feeds `input` to what `opening` opens, if there is one.
pub async fn while_feeding<T>(
    input: Option<(&Input, impl Future<Output = io::Result<InputStream>>)>,
    work: impl Future<Output = T>,
) -> T {
    let Some((input, opening)) = input else {
        return work.await;
    };
    tokio::select! {
        done = work => done,
        never = input.feed(opening) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::AsyncReadExt;

    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        /// However it is cut, and however slowly it is read: the program reads what was written, and the end.
        #[test]
        fn what_is_written_is_read(
            beginning in proptest::collection::vec(any::<u8>(), 0..40),
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..90), 0..9),
            room in 1..64_usize,
        ) {
            let expected: Vec<u8> =
                beginning.iter().chain(pieces.iter().flatten()).copied().collect();
            let read = runtime().block_on(async {
                let (writer, mut reader) = tokio::io::duplex(room);
                let input = Input::new(beginning.into());
                let writing = async {
                    for piece in pieces {
                        input.write(piece.into(), false).await.expect("there is room");
                    }
                    input.write(Bytes::new(), true).await.expect("it is open");
                    assert_eq!(input.write(Bytes::new(), true).await, Err(InputError::Closed));
                };
                let reading = async {
                    let mut all = Vec::new();
                    reader.read_to_end(&mut all).await.expect("memory");
                    all
                };
                let opening = async { Ok(Box::new(writer) as InputStream) };
                // Feeding never ends by itself: what it writes to is dropped with it, at the end of the input.
                let work = async { tokio::join!(writing, reading).1 };
                while_feeding(Some((&*input, opening)), work).await
            });
            prop_assert_eq!(read, expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_program_that_does_not_read_is_told_of() {
        let input = Input::new(Bytes::new());
        let piece = Bytes::from(vec![b'x'; MOST_WAITING / 2]);
        for _ in 0..2 {
            input.write(piece.clone(), false).await.expect("there is room");
        }
        assert_eq!(input.write(piece.clone(), false).await, Err(InputError::Full));
        input.write(Bytes::new(), true).await.expect("the end takes no room");
        assert_eq!(input.write(piece, false).await, Err(InputError::Closed));
    }

    #[tokio::test]
    async fn who_waits_for_room_is_told_when_nobody_reads_any_more() {
        let input = Input::new(Bytes::from(vec![b'x'; 2 * MOST_WAITING]));
        let closing = async {
            tokio::task::yield_now().await;
            input.close();
        };
        let (written, ()) = tokio::join!(input.write(Bytes::from_static(b"x"), false), closing);
        assert_eq!(written, Err(InputError::Closed));
    }
}
