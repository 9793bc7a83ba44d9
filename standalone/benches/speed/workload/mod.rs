//! What is run on both sides.

mod callers;
mod command;
mod idle;
mod plot;
mod program;
mod session_step;
mod single;
mod stream;
mod terminal;
mod transfer;

use execution_service::language::{bash::BASH, c::C, node::NODE, python::PYTHON};

use crate::comparison::{Bound, Claim, Comparison};
use crate::interpreters::Interpreters;
use crate::name::Name;
use crate::options::Effort;
use crate::service::Service;
use plot::Plot;
use program::Program;
use session_step::SessionStep;
use single::Single;

/// Everything that a workload is played with.
pub struct Stage<'a> {
    /// One side.
    pub service: &'a Service,
    /// What the other side is started from.
    pub interpreters: &'a Interpreters,
    /// How much of it.
    pub effort: Effort,
    /// Bytes that the machine could give before the services were started.
    pub available: u64,
}

impl Stage<'_> {
    /// Plays one. The targets are ratios to the bare side in the same minutes.
    pub fn play(&self, name: Name) -> anyhow::Result<Comparison> {
        let executable = |language| self.interpreters.executable(language);
        match name {
            Name::PythonHello => {
                self.single(name, 0.15, &mut Program::python_hello(executable(PYTHON)?))
            }
            Name::NodeHello => self.single(name, 0.15, &mut Program::node_hello(executable(NODE)?)),
            Name::BashHello => self.single(name, 1.0, &mut Program::bash_hello(executable(BASH)?)),
            Name::CHello => self.single(name, 1.1, &mut Program::c_hello(executable(C)?, true)?),
            Name::CAgain => self.single(name, 0.1, &mut Program::c_hello(executable(C)?, false)?),
            Name::Pandas => {
                self.single(name, 0.02, &mut Program::pandas(&self.interpreters.rich_python()))
            }
            Name::Mebibyte => self.single(name, 0.6, &mut Program::mebibyte(executable(PYTHON)?)),
            Name::SessionStep => self.single(name, 0.12, &mut SessionStep::new(self)?),
            Name::Plot => self.single(name, 1.2, &mut Plot::new(self)?),
            Name::Callers8 => callers::compare(self, name, 8),
            Name::Callers32 => callers::compare(self, name, 32),
            Name::StreamHello => self.single(name, 1.1, &mut stream::Hello::new(self)?),
            Name::FirstByte => stream::first_byte(self, name),
            Name::Events1000 => stream::events(self, name),
            Name::Followers100 => stream::followers(self, name, 100),
            Name::Upload | Name::Download => transfer::compare(self, name),
            Name::Command => self.single(name, 2.0, &mut command::True::new(self)?),
            Name::TerminalEcho => self.terminal_echo(name),
            Name::IdleSessions => idle::compare(self, name),
        }
    }

    fn terminal_echo(&self, name: Name) -> anyhow::Result<Comparison> {
        let single::Pairs { crucible, bare, phases } =
            single::compare(self, &mut terminal::Echo::new(self)?)?;
        let claims = vec![Claim::new("p50", " ms", crucible.p50_ms, Bound::AtMost(3.0))];
        Ok(Comparison { name: name.text(), crucible, bare, claims, phases })
    }

    fn single(&self, name: Name, most: f64, on: &mut dyn Single) -> anyhow::Result<Comparison> {
        let single::Pairs { crucible, bare, phases } = single::compare(self, on)?;
        let claims = vec![Claim::p50(&crucible, &bare, most)];
        Ok(Comparison { name: name.text(), crucible, bare, claims, phases })
    }
}
