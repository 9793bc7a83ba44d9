//! Terminals of processes.

use std::time::Duration;

use super::{ProcessCaller, Processes};
use crate::domain::process::{FromTerminal, ProcessId, ToTerminal};
use crate::services::Error;
use crate::workers::client::{Terminal, TerminalKeyboard, TerminalView};

/// How long attaching to one may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// One end of a terminal that somebody is attached to, until this is dropped.
pub struct OpenTerminal {
    /// What is seen.
    pub view: OpenView,
    /// What is said.
    pub keyboard: OpenKeyboard,
    /// Where the output begins that is to be seen.
    pub offset: u64,
    /// Bytes before that which were wanted and are not kept any more.
    pub missing: u64,
}

/// What is seen of a terminal. Must be read all the time.
pub struct OpenView(TerminalView);

/// What is said to a terminal.
pub struct OpenKeyboard(TerminalKeyboard);

impl Processes {
    /// Attaches to the terminal of a process, from byte `since` of its output on. Whoever was attached before is let go.
    ///
    /// # Errors
    /// [`Error::NoTerminal`], no such session or process.
    pub async fn attach(
        &self,
        caller: &ProcessCaller,
        id: ProcessId,
        since: u64,
    ) -> Result<OpenTerminal, Error> {
        let home = self.home(caller).await?;
        let call = home.call(DEADLINE);
        let attached = home.client.attach_terminal(&call, home.place(), id, since).await;
        let Terminal { view, keyboard, offset, missing } = self.answer(&home, attached).await?;
        let (view, keyboard) = (OpenView(view), OpenKeyboard(keyboard));
        Ok(OpenTerminal { view, keyboard, offset, missing })
    }
}

impl OpenView {
    /// What is seen next; `None` when there is no more.
    ///
    /// # Errors
    /// When the worker is lost.
    pub async fn next(&mut self) -> Result<Option<FromTerminal>, Error> {
        self.0.next().await.map_err(Error::from)
    }
}

impl OpenKeyboard {
    /// Says something; waits while the terminal takes no more. `false` when nobody hears it any more.
    pub async fn say(&mut self, message: ToTerminal) -> bool {
        self.0.say(message).await
    }
}
