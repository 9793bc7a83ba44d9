//! An output stream in memory.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::Notify;

use super::lock;
use crate::sandbox::backend::OutputStream;

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    bytes: VecDeque<u8>,
    closed: bool,
}

/// The end that is written.
pub(super) struct Writer(Arc<Shared>);

/// The end that is read.
pub(super) struct Reader(Arc<Shared>);

/// A stream without a bound.
pub(super) fn stream() -> (Writer, Reader) {
    let shared = Arc::<Shared>::default();
    (Writer(Arc::clone(&shared)), Reader(shared))
}

impl Writer {
    pub(super) fn write(&self, bytes: &[u8]) {
        lock(&self.0.state).bytes.extend(bytes);
        self.0.changed.notify_one();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        lock(&self.0.state).closed = true;
        self.0.changed.notify_one();
    }
}

#[async_trait]
impl OutputStream for Reader {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(count) = self.read_now(buffer)? {
                return Ok(count);
            }
            self.0.changed.notified().await;
        }
    }

    fn read_now(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let mut state = lock(&self.0.state);
        if state.bytes.is_empty() {
            return Ok(state.closed.then_some(0));
        }
        let count = buffer.len().min(state.bytes.len());
        for (place, byte) in buffer.iter_mut().zip(state.bytes.drain(..count)) {
            *place = byte;
        }
        Ok(Some(count))
    }
}
