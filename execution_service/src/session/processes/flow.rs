//! How far a terminal is read ahead of who looks at it.
//!
//! ```text
//! acknowledged      sent        read
//!      |--- at most 128 KiB ---|
//! ```
//! While somebody is attached, the terminal is not read beyond that, and its program waits. While nobody is, it is
//! read: what a command does must not depend on whether somebody looks. So it is, too, while the program does not
//! read what was typed: it may be waiting to be read itself, and the acknowledgement be behind what was typed.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// Most bytes of a terminal that were read or sent, and not acknowledged.
const WINDOW: u64 = 128 << 10;

/// Who is attached to a terminal, and how far it has got.
#[derive(Debug, Default)]
pub(super) struct Flow {
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    /// The number of who is attached; the last to come counts.
    viewer: Option<u64>,
    last: u64,
    acknowledged: u64,
}

impl Flow {
    /// Attaches somebody who has all before byte `offset`; gives the number. Whoever was attached is not any more.
    pub(super) fn attach(&self, offset: u64) -> u64 {
        let mut state = self.state();
        state.last += 1;
        let number = state.last;
        *state = State { viewer: Some(number), last: number, acknowledged: offset };
        drop(state);
        self.changed.send_replace(());
        number
    }

    /// Number `viewer` is not attached any more.
    pub(super) fn detach(&self, viewer: u64) {
        let mut state = self.state();
        if state.viewer == Some(viewer) {
            state.viewer = None;
        }
        drop(state);
        self.changed.send_replace(());
    }

    /// Whether `viewer` is still the one.
    pub(super) fn is_attached(&self, viewer: u64) -> bool {
        self.state().viewer == Some(viewer)
    }

    /// `viewer` has all before byte `offset`.
    pub(super) fn acknowledge(&self, viewer: u64, offset: u64) {
        let mut state = self.state();
        if state.viewer == Some(viewer) {
            state.acknowledged = state.acknowledged.max(offset);
        }
        drop(state);
        self.changed.send_replace(());
    }

    /// Something else has changed that those see who wait.
    pub(super) fn nudge(&self) {
        self.changed.send_replace(());
    }

    /// How many bytes may be sent to who was sent all before byte `sent`.
    pub(super) fn may_send(&self, sent: u64) -> u64 {
        (self.state().acknowledged + WINDOW).saturating_sub(sent)
    }

    /// Whether the terminal, of which all before byte `read` was read, is to be read.
    pub(super) fn may_read(&self, read: u64) -> bool {
        let state = self.state();
        state.viewer.is_none() || read < state.acknowledged + WINDOW
    }

    /// Sees changes from now on.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_read_as_far_as_who_is_attached_has_got() {
        let flow = Flow::default();
        assert!(flow.may_read(u64::MAX), "nobody looks");
        let first = flow.attach(10);
        assert!(flow.may_read(10 + WINDOW - 1) && !flow.may_read(10 + WINDOW));
        assert_eq!((flow.may_send(10), flow.may_send(10 + WINDOW)), (WINDOW, 0));
        flow.acknowledge(first, 20);
        flow.acknowledge(first, 15);
        assert!(flow.may_read(19 + WINDOW) && flow.may_send(20) == WINDOW);
        let second = flow.attach(5);
        assert!(!flow.is_attached(first) && !flow.may_read(5 + WINDOW));
        flow.acknowledge(first, 1000);
        flow.detach(first);
        assert!(flow.is_attached(second) && flow.may_send(5) == WINDOW, "that counts no more");
        flow.detach(second);
        assert!(flow.may_read(u64::MAX));
    }
}
