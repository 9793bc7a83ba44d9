//! What each language needs: pure data, source text in, files and commands out. No I/O here.
//!
//! A language either keeps a *kernel*, an interpreter that is started ahead of time and told what to
//! run ([`KernelLanguage`]), or is *compiled* for every run ([`CompiledLanguage`]).

mod bash;
mod c;
pub mod diagnostic;
pub mod discovery;
mod environment;
mod node;
mod python;
mod toolchain;

use std::collections::BTreeMap;
use std::fmt;

use crate::sandbox::spec::Command;
use diagnostic::Diagnostic;

pub use c::compile::{FlagError, check as check_compiler_flags, compiler_flags};
pub use python::kernel::usual_libraries;

/// A language that code can be sent in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    /// CPython 3.
    Python,
    /// Node.js: JavaScript, and TypeScript where the Node found can strip types.
    Node,
    /// GNU bash.
    Bash,
    /// C, by gcc.
    C,
}

/// The two ways to run a language.
pub enum Approach {
    /// By a warm interpreter.
    Kernel(&'static dyn KernelLanguage),
    /// By a compiler and then the program.
    Compiled(&'static dyn CompiledLanguage),
}

/// A program to run, as languages see it.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// The source text.
    pub code: &'a str,
    /// Arguments of the program.
    pub args: &'a [String],
    /// Variables added to its environment.
    pub env: &'a BTreeMap<String, String>,
    /// Path inside the sandbox of what it reads on standard input.
    pub stdin: Option<&'a str>,
    /// For compilers; checked by [`check_compiler_flags`].
    pub compiler_flags: &'a [String],
}

/// Whether a kernel runs one program or keeps state over many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One program; then the process ends as the language would end it.
    Once,
    /// A session: the process lives on.
    Session,
}

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
    /// Starts the interpreter `executable`.
    fn start(&self, executable: &str) -> KernelStart;

    /// Starts its zygote, with `libraries` loaded beforehand, if its interpreter can fork.
    fn zygote(&self, _executable: &str, _libraries: &[String]) -> Option<Command> {
        None
    }

    /// Whether a program seems to use one of `libraries`. A wrong answer costs time and nothing else.
    fn needs(&self, _code: &str, _libraries: &[String]) -> bool {
        false
    }

    /// Tells it to run `program` as its run number `id`.
    fn request(&self, id: u64, mode: Mode, program: Program<'_>) -> KernelRequest;
}

/// A compiled language.
pub trait CompiledLanguage: Send + Sync {
    /// Where the source goes in the workspace.
    fn source_file(&self) -> &'static str;

    /// Where the compiler leaves what it made, in the request directory.
    fn executable_file(&self) -> &'static str;

    /// Compiles it with `executable`. Nothing of a program but its source and its flags has a part in this.
    fn compile(&self, executable: &str, program: Program<'_>) -> Command;

    /// Runs what was compiled.
    fn run(&self, program: Program<'_>) -> Command;

    /// Reads what the compiler said, when it failed.
    fn diagnose(&self, compiler_output: &str) -> Diagnostic;
}

impl Language {
    /// Every language, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Python, Self::Node, Self::Bash, Self::C];

    /// By its name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.name() == name)
    }

    /// Other names that callers may use.
    pub fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::Python => &["py"],
            Self::Node => &["javascript", "js"],
            Self::Bash => &["shell", "sh"],
            Self::C => &[],
        }
    }

    /// The name that the API uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Node => "node",
            Self::Bash => "bash",
            Self::C => "c",
        }
    }

    /// How it is run.
    pub fn approach(self) -> Approach {
        match self {
            Self::Python => Approach::Kernel(&python::kernel::Python),
            Self::Node => Approach::Kernel(&node::kernel::Node),
            Self::Bash => Approach::Kernel(&bash::kernel::Bash),
            Self::C => Approach::Compiled(&c::compile::C),
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
