//! A command in a session, which does nothing, against the same as a bare process.

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use hyper::Method;
use serde_json::json;

use super::Stage;
use super::single::Single;
use crate::answer::{Answer, shortened};
use crate::bare;
use crate::caller::{Caller, Ran, Response};
use crate::service::open_session;

const TRUE: &str = "/bin/true";

/// A session to start it in.
pub struct True {
    processes: String,
}

impl True {
    /// Makes the session.
    pub fn new(stage: &Stage<'_>) -> anyhow::Result<Self> {
        let session = open_session(&mut stage.service.caller()?, "bash")?;
        Ok(Self { processes: format!("/v1/code_interpreter/sessions/{session}/processes") })
    }
}

impl Single for True {
    fn crucible(&mut self, caller: &mut Caller, _turn: u32) -> anyhow::Result<Ran> {
        let body = json!({"command": [TRUE]});
        let Response { took, status, body } =
            caller.call(Method::POST, &self.processes, Some(&body))?;
        let ended: serde_json::Value = serde_json::from_slice(&body)?;
        ensure!(status == 200 && ended["exit_code"] == 0, "{status}: {}", shortened(&body));
        Ok(Ran { took, answer: Answer::default() })
    }

    fn bare(&mut self, _turn: u32) -> anyhow::Result<Duration> {
        bare::time(&mut bare::command(Path::new(TRUE), [""; 0]), "")
    }
}
