//! The names of the workloads.

use clap::ValueEnum;
use execution_service::language::{Language, bash::BASH, c::C, node::NODE, python::PYTHON};

/// The workloads, in the order in which they are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// print("hello")
    PythonHello,
    /// console.log("hello")
    NodeHello,
    /// echo hello
    BashHello,
    /// puts("hello"), compiled: the source text is new each time
    CHello,
    /// puts("hello"), the same source text again
    CAgain,
    /// import numpy and pandas, and make a small frame
    Pandas,
    /// x += 1; print(x) in a session, against a bare Python hello
    SessionStep,
    /// A PNG drawn by matplotlib in a session, against the same in a running interpreter
    Plot,
    /// 1 MiB printed by Python
    Mebibyte,
    /// Python hello by 8 callers at once, against as many processes at once
    #[value(name = "callers-8")]
    Callers8,
    /// Python hello by 32 callers at once, against as many processes at once
    #[value(name = "callers-32")]
    Callers32,
    /// print("hello") as a stream of events, against the same in one answer
    StreamHello,
    /// From a program's write to its arrival, against a pipe
    FirstByte,
    /// 1,000 lines in a second to one reader: from each write to its arrival, against a pipe
    #[value(name = "events-1000")]
    Events1000,
    /// 100 followers of one run: from each write to its arrival, against one follower
    #[value(name = "followers-100")]
    Followers100,
    /// A file of 100 MB into a session, against cp
    Upload,
    /// A file of 100 MB out of a session, against cp
    Download,
    /// /bin/true as a command in a session, against a bare process
    Command,
    /// A key in a terminal until its echo, against a line through cat
    TerminalEcho,
    /// 1,000 idle Python sessions with pandas imported: their memory, and Python hello with them
    /// against hello before
    IdleSessions,
}

impl Name {
    /// What has to be on the machine.
    pub fn languages(self) -> &'static [Language] {
        match self {
            Self::PythonHello
            | Self::Pandas
            | Self::SessionStep
            | Self::Plot
            | Self::Mebibyte
            | Self::Callers8
            | Self::Callers32
            | Self::StreamHello
            | Self::FirstByte
            | Self::Events1000
            | Self::Followers100
            | Self::IdleSessions => &[PYTHON],
            Self::NodeHello => &[NODE],
            Self::BashHello => &[BASH],
            Self::Upload | Self::Download | Self::Command | Self::TerminalEcho => &[],
            Self::CHello | Self::CAgain => &[C],
        }
    }

    /// As it is written on the command line.
    pub fn text(self) -> String {
        let value = self.to_possible_value().expect("no name is left out of the command line");
        String::from(value.get_name())
    }
}
