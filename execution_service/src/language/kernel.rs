//! Languages with a *kernel*: an interpreter that is started ahead of time and told what to run.

use std::collections::BTreeMap;

use super::program::{Mode, Program};
use super::request_place::RequestPlace;
use crate::sandbox::spec::Command;

/// How a kernel is started.
#[derive(Clone, Debug)]
pub struct KernelStart {
    /// The process.
    pub command: Command,
    /// How it is spoken to.
    pub channel: Channel,
}

/// The control channel of a kernel; the messages are those of `runtimes/README.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Two pipes at descriptors 3 and 4.
    Pipes,
    /// Two FIFOs in the request directory, named in the arguments: a shell cannot hide an open
    /// descriptor from what it starts.
    Fifos {
        /// The kernel reads.
        incoming: &'static str,
        /// The kernel writes.
        outgoing: &'static str,
    },
}

/// What to tell a kernel for one run.
#[derive(Clone, Debug)]
pub struct KernelRequest {
    /// Files to put into the request directory first.
    pub files: Vec<(&'static str, Vec<u8>)>,
    /// The line to send, without its end.
    pub line: String,
}

/// A language with a kernel.
pub trait KernelLanguage: Send + Sync {
    /// Starts the interpreter `executable`, which finds its requests at `place`.
    fn start(&self, executable: &str, place: RequestPlace) -> KernelStart;

    /// Tells it to run `program` as its run number `id`.
    fn request(&self, id: u64, mode: Mode, program: Program<'_>) -> KernelRequest;

    /// Starts its zygote, with `libraries` loaded beforehand, if its interpreter can fork.
    fn zygote(&self, _executable: &str, _libraries: &[String]) -> Option<Command> {
        None
    }

    /// What its zygote loads unless the operator names something else, given the installed
    /// `packages` with their versions; all that is usual where they are not known yet.
    fn usual_libraries(&self, _packages: Option<&BTreeMap<String, String>>) -> Vec<String> {
        Vec::new()
    }

    /// Whether a program seems to use one of `libraries`. A wrong answer costs time and nothing else.
    fn needs(&self, _code: &str, _libraries: &[String]) -> bool {
        false
    }
}
