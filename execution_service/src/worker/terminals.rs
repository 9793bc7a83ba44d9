//! Terminals of commands in sessions.

use std::sync::Arc;

use super::{Worker, WorkerError};
use crate::sandbox::backend::ProcessId;
use crate::sandbox::spec::TerminalSize;
use crate::session::Session;
use crate::session::processes::{Keyboard, Viewer};

/// One end of a terminal.
pub struct Attached {
    /// What is to be seen.
    pub viewer: Viewer,
    /// What is typed.
    pub keys: Keys,
    /// Where the output begins that is to be seen.
    pub offset: u64,
}

/// What is typed in a terminal of a session, which is used by that.
pub struct Keys {
    session: Arc<Session>,
    keyboard: Keyboard,
}

impl Worker {
    /// Gives the terminal of a command another size.
    ///
    /// # Errors
    /// No such session or command, or one without a terminal, or that has ended.
    pub fn resize_terminal(
        &self,
        session: (&str, &str),
        process: ProcessId,
        size: TerminalSize,
    ) -> Result<(), WorkerError> {
        let session = self.sessions.get(session.0, session.1)?;
        session.processes.get(process)?.resize(size)?;
        session.deadline.touch();
        Ok(())
    }

    /// Attaches somebody to the terminal of a command who has seen everything before byte `since`.
    ///
    /// # Errors
    /// No such session or command, or one without a terminal.
    pub fn attach_terminal(
        &self,
        session: (&str, &str),
        process: ProcessId,
        since: u64,
    ) -> Result<Attached, WorkerError> {
        let session = self.sessions.get(session.0, session.1)?;
        let (viewer, keyboard, offset) = session.processes.get(process)?.attach(since)?;
        Ok(Attached { viewer, keys: Keys { session, keyboard }, offset })
    }
}

impl Keys {
    /// Passes on what is typed.
    ///
    /// # Errors
    /// When the program has ended, or there is no room for the session to go on.
    pub async fn typed(&self, data: &[u8]) -> Result<(), WorkerError> {
        self.session.deadline.touch();
        self.session.wake().await?;
        Ok(self.keyboard.typed(data)?)
    }

    /// All that was shown before byte `offset` was seen.
    pub fn acknowledge(&self, offset: u64) {
        self.keyboard.acknowledge(offset);
    }

    /// Gives the terminal another size.
    ///
    /// # Errors
    /// When the program has ended.
    pub fn resize(&self, size: TerminalSize) -> Result<(), WorkerError> {
        self.session.deadline.touch();
        Ok(self.keyboard.resize(size)?)
    }
}
