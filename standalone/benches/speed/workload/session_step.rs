//! One step in a session that knows a variable, against a bare Python that says hello: what a
//! caller without sessions would have to start.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::Stage;
use super::program::PYTHON_HELLO;
use super::single::Single;
use crate::bare;
use crate::caller::{Caller, Ran};
use crate::service::open_session;

/// A session with an `x`.
pub struct SessionStep {
    session: String,
    x: u32,
    python: PathBuf,
}

impl SessionStep {
    /// Makes the session.
    pub fn new(stage: &Stage<'_>) -> anyhow::Result<Self> {
        let mut caller = stage.service.caller()?;
        let session = open_session(&mut caller, "python")?;
        let request = json!({"language": "python", "session_id": session, "code": "x = 0"});
        caller.run(&request)?.answer.printed("")?;
        Ok(Self { session, x: 0, python: stage.interpreters.python.clone() })
    }
}

impl Single for SessionStep {
    fn crucible(&mut self, caller: &mut Caller, _turn: u32) -> anyhow::Result<Ran> {
        self.x += 1;
        let code = "x += 1; print(x)";
        let request = json!({"language": "python", "session_id": self.session, "code": code});
        let ran = caller.run(&request)?;
        ran.answer.printed(&format!("{}\n", self.x))?;
        Ok(ran)
    }

    fn bare(&mut self, _turn: u32) -> anyhow::Result<Duration> {
        bare::time(&mut bare::command(&self.python, ["-c", PYTHON_HELLO]), "hello\n")
    }
}
