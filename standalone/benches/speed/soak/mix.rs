//! The runs of the mix, and who plays them.

use std::time::Duration;

use execution_service::language::{Language, bash::BASH, c::C, node::NODE, python::PYTHON};
use serde::Serialize;
use serde_json::json;

use crate::caller::Caller;
use crate::service::{Service, end_session, open_session};

/// A kind of run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A stateless hello.
    Python,
    /// A stateless hello.
    Node,
    /// A stateless hello.
    Bash,
    /// A program that has to be compiled.
    C,
    /// A step in the caller's session.
    PythonStep,
    /// A step in the caller's session.
    NodeStep,
    /// A step in the caller's session.
    BashStep,
}

impl Kind {
    /// What is played over and over: Python as often as everything else, as its users do.
    pub const MIX: [Self; 10] = [
        Self::Python,
        Self::Bash,
        Self::PythonStep,
        Self::Node,
        Self::Python,
        Self::BashStep,
        Self::PythonStep,
        Self::C,
        Self::Python,
        Self::NodeStep,
    ];

    /// What it needs on the machine.
    pub fn language(self) -> Language {
        match self {
            Self::Python | Self::PythonStep => PYTHON,
            Self::Node | Self::NodeStep => NODE,
            Self::Bash | Self::BashStep => BASH,
            Self::C => C,
        }
    }

    /// The source text of run `number`, which prints this number or, as a step, its count.
    fn source(self, number: u32) -> String {
        match self {
            Self::Python => format!("print({number})"),
            Self::Node => format!("console.log({number})"),
            Self::Bash => format!("echo {number}"),
            Self::C => format!(
                "#include <stdio.h>\nint main(void) {{ printf(\"%d\\n\", {number}); return 0; }}\n"
            ),
            Self::PythonStep => String::from("x = globals().get('x', 0) + 1; print(x)"),
            Self::NodeStep => {
                String::from("globalThis.x = (globalThis.x ?? 0) + 1; console.log(globalThis.x)")
            }
            Self::BashStep => String::from("x=$((x + 1)); echo $x"),
        }
    }

    fn steps(self) -> bool {
        matches!(self, Self::PythonStep | Self::NodeStep | Self::BashStep)
    }
}

/// One caller with a session for each kind of step, made when it is first needed.
pub struct Player {
    caller: Caller,
    sessions: Vec<Session>,
}

struct Session {
    kind: Kind,
    id: String,
    steps: u32,
}

impl Player {
    /// Without sessions.
    pub fn begin(service: &Service) -> anyhow::Result<Self> {
        Ok(Self { caller: service.caller()?, sessions: Vec::new() })
    }

    /// One run; making a session is not part of its time.
    pub fn play(&mut self, kind: Kind, number: u32) -> anyhow::Result<Duration> {
        let mut request = json!({"language": kind.language().name(), "code": kind.source(number)});
        let mut expected = number;
        if kind.steps() {
            let session = self.session(kind)?;
            session.steps += 1;
            expected = session.steps;
            request["session_id"] = json!(session.id);
        }
        let ran = self.caller.run(&request)?;
        ran.answer.printed(&format!("{expected}\n"))?;
        Ok(ran.took)
    }

    /// Ends the sessions.
    pub fn end(mut self) -> anyhow::Result<()> {
        self.sessions.iter().try_for_each(|session| end_session(&mut self.caller, &session.id))
    }

    fn session(&mut self, kind: Kind) -> anyhow::Result<&mut Session> {
        let place = match self.sessions.iter().position(|session| session.kind == kind) {
            Some(place) => place,
            None => {
                let id = open_session(&mut self.caller, kind.language().name())?;
                self.sessions.push(Session { kind, id, steps: 0 });
                self.sessions.len() - 1
            }
        };
        Ok(&mut self.sessions[place])
    }
}
