//! One end of a terminal: what its program shows, as fast as it is acknowledged, and what is typed.

use std::sync::Arc;

use tokio::sync::watch;

use super::events::End;
use super::{ProcessError, SessionProcess};
use crate::sandbox::spec::TerminalSize;

/// Most bytes of one frame.
const PIECE: usize = 32 << 10;
/// Bytes of input that are told of at once.
const TOLD: u64 = 16 << 10;

/// Somebody who is attached to a terminal, until this is dropped or somebody else attaches.
pub struct Viewer {
    process: Arc<SessionProcess>,
    number: u64,
    sent: u64,
    /// Of the input: what was passed on, where that was when this was attached, and when it was told last.
    passed: watch::Receiver<u64>,
    typed_from: u64,
    told: u64,
}

/// The other way: what is typed, and what was seen.
pub struct Keyboard {
    process: Arc<SessionProcess>,
    number: u64,
}

/// What a viewer sees.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    /// The program shows something.
    Output {
        /// Position of the first byte in all that it has shown. A jump means that bytes have made way.
        offset: u64,
        /// What.
        data: Vec<u8>,
    },
    /// So many bytes of what was typed since have gone into the terminal.
    Taken(u64),
    /// It has ended, and all was seen.
    Ended(End),
    /// Somebody else is attached now.
    TakenOver,
}

impl SessionProcess {
    /// Attaches somebody to its terminal who has seen everything before byte `since`. Gives where that goes on: later,
    /// when bytes have made way. Whoever was attached is not any more.
    ///
    /// # Errors
    /// [`ProcessError::NoTerminal`].
    pub fn attach(self: &Arc<Self>, since: u64) -> Result<(Viewer, Keyboard, u64), ProcessError> {
        let input = self.input.as_ref().filter(|_| self.terminal.is_some());
        let input = input.ok_or(ProcessError::NoTerminal)?;
        let (begins, _) = self.log.output_from(since, 1);
        let number = self.flow.attach(begins);
        let viewer = Viewer {
            process: Arc::clone(self),
            number,
            sent: begins,
            passed: input.passed(),
            typed_from: input.taken(),
            told: 0,
        };
        Ok((viewer, Keyboard { process: Arc::clone(self), number }, begins))
    }
}

impl Viewer {
    /// What is to be seen next; waits for it, and for acknowledgements.
    pub async fn next(&mut self) -> Frame {
        let (mut said, mut flow) = (self.process.log.changes(), self.process.flow.changes());
        loop {
            if !self.process.flow.is_attached(self.number) {
                return Frame::TakenOver;
            }
            let taken = self.passed.borrow_and_update().saturating_sub(self.typed_from);
            if taken >= self.told + TOLD {
                self.told = taken;
                return Frame::Taken(taken);
            }
            // Before the look at the output: what came before the end is seen before it.
            let end = self.process.log.end();
            let room = self.process.flow.may_send(self.sent).min(PIECE as u64) as usize;
            let (offset, data) = self.process.log.output_from(self.sent, room);
            if !data.is_empty() {
                self.sent = offset + data.len() as u64;
                return Frame::Output { offset, data };
            }
            if let Some(end) = end.filter(|_| self.sent >= self.process.log.totals()[0]) {
                return Frame::Ended(end);
            }
            // The senders live as long as we do.
            tokio::select! {
                _ = said.changed() => {}
                _ = flow.changed() => {}
                _ = self.passed.changed() => {}
            }
        }
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.process.flow.detach(self.number);
    }
}

impl Keyboard {
    /// All that was shown before byte `offset` was seen.
    pub fn acknowledge(&self, offset: u64) {
        self.process.flow.acknowledge(self.number, offset.min(self.process.log.totals()[0]));
    }

    /// Gives the terminal another size.
    ///
    /// # Errors
    /// [`ProcessError::Ended`].
    pub fn resize(&self, size: TerminalSize) -> Result<(), ProcessError> {
        self.process.resize(size)
    }

    /// What is typed.
    ///
    /// # Errors
    /// [`ProcessError::NoInput`] when it has ended; [`ProcessError::InputFull`].
    pub fn typed(&self, data: &[u8]) -> Result<(), ProcessError> {
        let taken = self.process.write(data, false);
        // The program may wait to be read before it reads.
        self.process.flow.nudge();
        taken
    }
}
