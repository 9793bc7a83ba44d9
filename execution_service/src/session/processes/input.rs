//! What a command is to read: taken at once, and passed on as fast as it reads.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::io::AsyncWriteExt;
use tokio::sync::{Notify, watch};

use super::ProcessError;
use super::room::{Room, Taken};
use crate::sandbox::backend::InputStream;

/// Bytes on their way above which no more are taken.
const FULL: usize = 1 << 20;
/// Bytes on their way of which it can be said that the command does not read them.
const AHEAD: usize = 64 << 10;
/// Bytes that each input has for itself.
const OWN: usize = 64 << 10;
/// What is written at once.
const PIECE: usize = 16 << 10;
/// The end of the input of a terminal, typed.
const END_OF_FILE: u8 = 4;

/// Standard input of a command, or what is typed in its terminal.
pub(super) struct Input {
    state: Mutex<State>,
    is_terminal: bool,
    /// There is more to write, or an end.
    more: Notify,
    /// Bytes that were passed on.
    passed: watch::Sender<u64>,
}

struct State {
    waiting: VecDeque<u8>,
    /// For what is beyond [`OWN`].
    extra: Taken,
    /// Nothing comes behind what waits.
    ends: bool,
}

impl Input {
    /// Open, unless it `ends` behind what there is already.
    pub(super) fn new(
        first: Vec<u8>,
        ends: bool,
        is_terminal: bool,
        room: &Room,
    ) -> Result<Self, ProcessError> {
        let mut extra = room.none();
        if !extra.resize(first.len().saturating_sub(OWN)) {
            return Err(ProcessError::InputFull);
        }
        let state = State { waiting: VecDeque::from(first), extra, ends };
        let (more, passed) = (Notify::new(), watch::Sender::new(0));
        Ok(Self { state: Mutex::new(state), is_terminal, more, passed })
    }

    /// Whether more can be said.
    pub(super) fn is_open(&self) -> bool {
        !self.state().ends
    }

    /// Takes all of `data`, and the end of the input if `end`; or nothing.
    ///
    /// # Errors
    /// [`ProcessError::NoInput`], [`ProcessError::InputFull`].
    pub(super) fn take(&self, data: &[u8], end: bool) -> Result<(), ProcessError> {
        let mut state = self.state();
        if state.ends {
            return Err(ProcessError::NoInput);
        }
        let wanted = state.waiting.len() + data.len();
        if wanted > FULL || !state.extra.resize(wanted.saturating_sub(OWN)) {
            return Err(ProcessError::InputFull);
        }
        state.waiting.extend(data);
        if end && self.is_terminal {
            state.waiting.push_back(END_OF_FILE);
        } else {
            state.ends = end;
        }
        drop(state);
        self.more.notify_one();
        Ok(())
    }

    /// Whether much waits to be read.
    pub(super) fn is_behind(&self) -> bool {
        let state = self.state();
        !state.ends && state.waiting.len() > AHEAD
    }

    /// Bytes that were taken so far: passed on, or on their way.
    pub(super) fn taken(&self) -> u64 {
        self.state().waiting.len() as u64 + *self.passed.borrow()
    }

    /// Bytes that were passed on so far.
    pub(super) fn passed(&self) -> watch::Receiver<u64> {
        self.passed.subscribe()
    }

    /// Passes on to `pipe` what is said, until the end or until nobody reads any more. To be driven as long as the
    /// command runs.
    pub(super) async fn pass_on(&self, mut pipe: InputStream) {
        loop {
            let piece = {
                let mut state = self.state();
                let count = state.waiting.len().min(PIECE);
                let piece: Vec<u8> = state.waiting.drain(..count).collect();
                state.waiting.shrink_to(OWN);
                let left = state.waiting.len();
                state.extra.resize(left.saturating_sub(OWN));
                if piece.is_empty() && state.ends {
                    return;
                }
                piece
            };
            if piece.is_empty() {
                self.more.notified().await;
                continue;
            }
            if pipe.write_all(&piece).await.is_err() {
                self.close();
                return;
            }
            self.passed.send_modify(|passed| *passed += piece.len() as u64);
        }
    }

    /// The command reads no more.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.ends = true;
        state.waiting = VecDeque::new();
        state.extra.resize(0);
        drop(state);
        self.more.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
