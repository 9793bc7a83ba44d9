//! A plot in a session, against the same drawing in an interpreter that runs without walls.

use std::time::Duration;

use anyhow::ensure;
use serde_json::json;

use super::Stage;
use super::single::Single;
use crate::caller::{Caller, Ran};
use crate::drawing::Interpreter;
use crate::service::open_session;

/// A session and an interpreter that both have matplotlib imported.
pub struct Plot {
    session: String,
    interpreter: Interpreter,
    /// What the session drew last.
    picture: String,
}

impl Plot {
    /// Makes both.
    pub fn new(stage: &Stage<'_>) -> anyhow::Result<Self> {
        let python = stage.interpreters.rich_python();
        let interpreter = Interpreter::start(&python, stage.service.scratch())?;
        let mut caller = stage.service.caller()?;
        let session = open_session(&mut caller, "python")?;
        let code = "import matplotlib.pyplot as plt";
        let request = json!({"language": "python", "session_id": session, "code": code});
        caller.run(&request)?.answer.printed("")?;
        Ok(Self { session, interpreter, picture: String::new() })
    }
}

/// A drawing that differs from the one before.
fn source(turn: u32) -> String {
    format!(
        "figure, axes = plt.subplots()\n\
         axes.plot([1, 4, 9, {turn}], marker='o')\n\
         axes.set_title('turn {turn}')\n\
         plt.show()"
    )
}

impl Single for Plot {
    fn crucible(&mut self, caller: &mut Caller, turn: u32) -> anyhow::Result<Ran> {
        let code = source(turn);
        let request = json!({"language": "python", "session_id": self.session, "code": code});
        let ran = caller.run(&request)?;
        self.picture = String::from(ran.answer.picture()?);
        Ok(ran)
    }

    fn bare(&mut self, turn: u32) -> anyhow::Result<Duration> {
        let (took, picture) = self.interpreter.draw(&source(turn))?;
        // To the byte: neither side draws less than the other.
        ensure!(
            picture.trim_end() == self.picture.trim_end(),
            "the pictures of turn {turn} differ"
        );
        Ok(took)
    }
}
