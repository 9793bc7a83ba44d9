//! Commands in sessions. They live at the worker of their session; the gateway remembers nothing of them, and who
//! waits for one, follows it or has left it behind is all the same to them: a caller who goes away ends none.

mod follow;
mod terminal;

use std::time::Duration;

use super::Error;
use super::sessions::Sessions;
use crate::domain::ids::{SessionId, UserId};
use crate::domain::process::{NewProcess, Process, ProcessId, TerminalSize};
use crate::domain::session::Session;
use crate::workers::client::{self, Call, InSession, WorkerClient};

pub use self::follow::{ProcessFollowed, ProcessFollower};
pub use self::terminal::{OpenKeyboard, OpenTerminal, OpenView};

/// How long the worker may take for what it does at once.
const DEADLINE: Duration = Duration::from_secs(30);

/// Starts, shows, follows and ends commands.
#[derive(Clone)]
pub struct Processes {
    /// Where they live.
    pub sessions: Sessions,
}

/// On whose behalf, in which session, in which request.
#[derive(Debug, Clone)]
pub struct ProcessCaller {
    /// Whose the session is.
    pub user: UserId,
    /// Which.
    pub session: SessionId,
    /// So that both services log the same id.
    pub request_id: String,
}

/// A session whose worker is asked.
struct Home {
    session: Session,
    client: WorkerClient,
    caller: ProcessCaller,
}

impl Processes {
    /// Starts a command, and gives who follows it from its beginning.
    ///
    /// # Errors
    /// No such session, too many commands, a program that cannot be executed.
    pub async fn start(
        &self,
        caller: &ProcessCaller,
        new: &NewProcess,
    ) -> Result<(Process, ProcessFollower), Error> {
        let home = self.home(caller).await?;
        ProcessFollower::start(self.clone(), home, new).await
    }

    /// Those that run, and those that have ended lately.
    ///
    /// # Errors
    /// No such session.
    pub async fn list(&self, caller: &ProcessCaller) -> Result<Vec<Process>, Error> {
        let home = self.home(caller).await?;
        let listed = home.client.processes(&home.call(DEADLINE), home.place()).await;
        self.answer(&home, listed).await
    }

    /// How one is.
    ///
    /// # Errors
    /// No such session or process.
    pub async fn get(&self, caller: &ProcessCaller, id: ProcessId) -> Result<Process, Error> {
        let home = self.home(caller).await?;
        let found = home.client.process(&home.call(DEADLINE), home.place(), id).await;
        self.answer(&home, found).await
    }

    /// Follows one from the event after number `after` on.
    ///
    /// # Errors
    /// No such session or process.
    pub async fn follow(
        &self,
        caller: &ProcessCaller,
        id: ProcessId,
        after: u64,
    ) -> Result<(Process, ProcessFollower), Error> {
        let home = self.home(caller).await?;
        let known = home.client.process(&home.call(DEADLINE), home.place(), id).await;
        let process = self.answer(&home, known).await?;
        Ok((process, ProcessFollower::new(self.clone(), home, id, after)))
    }

    /// Writes to its standard input or terminal: all of it or nothing.
    ///
    /// # Errors
    /// [`Error::InputClosed`], [`Error::InputFull`], no such session or process.
    pub async fn write(
        &self,
        caller: &ProcessCaller,
        id: ProcessId,
        input: (Vec<u8>, bool),
    ) -> Result<(), Error> {
        let home = self.home(caller).await?;
        let written = home.client.write_stdin(&home.call(DEADLINE), home.place(), id, input).await;
        self.answer(&home, written).await
    }

    /// Sends it and its group a signal.
    ///
    /// # Errors
    /// [`Error::ProcessEnded`], no such session or process.
    pub async fn signal(
        &self,
        caller: &ProcessCaller,
        id: ProcessId,
        signal: &'static str,
    ) -> Result<(), Error> {
        let home = self.home(caller).await?;
        let sent = home.client.signal_process(&home.call(DEADLINE), home.place(), id, signal).await;
        self.answer(&home, sent).await
    }

    /// Gives its terminal another size.
    ///
    /// # Errors
    /// [`Error::NoTerminal`], [`Error::ProcessEnded`], no such session or process.
    pub async fn resize(
        &self,
        caller: &ProcessCaller,
        id: ProcessId,
        size: TerminalSize,
    ) -> Result<(), Error> {
        let home = self.home(caller).await?;
        let done = home.client.resize_terminal(&home.call(DEADLINE), home.place(), id, size).await;
        self.answer(&home, done).await
    }

    /// Kills it with all that came of it; of one that has ended this changes nothing.
    ///
    /// # Errors
    /// No such session or process.
    pub async fn kill(&self, caller: &ProcessCaller, id: ProcessId) -> Result<Process, Error> {
        let home = self.home(caller).await?;
        let killed = home.client.kill_process(&home.call(DEADLINE), home.place(), id).await;
        self.answer(&home, killed).await
    }

    async fn home(&self, caller: &ProcessCaller) -> Result<Home, Error> {
        let session = self.sessions.usable(&caller.user, &caller.session).await?;
        let client = self.sessions.home(&session)?.client().clone();
        Ok(Home { session, client, caller: caller.clone() })
    }

    /// What the worker has answered; if the session is over, that is noted.
    async fn answer<T>(&self, home: &Home, answer: Result<T, client::Error>) -> Result<T, Error> {
        if answer.is_err() {
            // Its owner may have ended it meanwhile.
            self.sessions.usable(&home.caller.user, &home.caller.session).await?;
        }
        self.sessions.of_live(&home.session, answer).await
    }
}

impl Home {
    fn place(&self) -> InSession<'_> {
        InSession { session: &self.caller.session, owner: &self.caller.user }
    }

    fn call(&self, deadline: Duration) -> Call {
        Call { request_id: self.caller.request_id.clone(), deadline }
    }
}
