//! Commands: from wire types to ours.

use std::time::Duration;

use proto::execution_v1 as wire;
use tonic::Status;

use super::from_wire::{arguments, environment, id, path};
use super::status::invalid;
use crate::execution::signals;
use crate::sandbox::backend::Signal;
use crate::sandbox::spec::TerminalSize;
use crate::worker::NewProcess;

/// Bytes that an input may begin with.
const MAX_STDIN: usize = 4 << 20;
const MAX_TAG: usize = 256;
/// Bytes of output that one answer has.
const MAX_BYTES: usize = 1 << 20;
/// How long one answer is waited for.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// Which events of a command to bring.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Those behind this number.
    pub after: u64,
    /// Up to so many bytes of output.
    pub most: usize,
    /// How long to wait for them.
    pub patience: Duration,
    /// Whether to wait for the end.
    pub until_end: bool,
}

/// A command to start.
pub fn new_process(message: wire::StartProcessRequest) -> Result<NewProcess, Status> {
    let wire::StartProcessRequest {
        session_id,
        owner,
        command,
        env,
        working_directory,
        open_stdin,
        stdin,
        timeout_ms,
        terminal,
        tag,
        awaited,
        events: _,
    } = message;
    if command.first().is_none_or(String::is_empty) {
        return Err(invalid("command", "must name a program"));
    }
    if stdin.len() > MAX_STDIN {
        return Err(invalid("stdin", "has more than 4194304 bytes"));
    }
    if tag.len() > MAX_TAG {
        return Err(invalid("tag", "has more than 256 bytes"));
    }
    if timeout_ms == Some(0) {
        return Err(invalid("timeout", "must be above 0"));
    }
    Ok(NewProcess {
        session: id("session_id", session_id)?,
        owner: id("owner", owner)?,
        command: arguments("command", command)?,
        env: environment(env)?,
        working_directory: path("cwd", &working_directory)?,
        stdin: stdin.into(),
        open_stdin,
        timeout: timeout_ms.map(Duration::from_millis),
        terminal: terminal.map(size).transpose()?,
        tag,
        awaited,
    })
}

/// The events that are wanted, as far as they are brought at once.
pub fn wanted(message: wire::EventsWanted) -> Wanted {
    let wire::EventsWanted { after, max_bytes, wait_ms, until_end } = message;
    let most = match usize::try_from(max_bytes) {
        Ok(0) | Err(_) => MAX_BYTES,
        Ok(most) => most.min(MAX_BYTES),
    };
    let patience = Duration::from_millis(u64::from(wait_ms)).min(MAX_WAIT);
    Wanted { after, most, patience, until_end }
}

/// What a process is told.
pub fn signal(name: &str) -> Result<Signal, Status> {
    match (name, signals::number(name)) {
        ("SIGINT", _) => Ok(Signal::Interrupt),
        ("SIGTERM", _) => Ok(Signal::Terminate),
        ("SIGKILL", _) => Ok(Signal::Kill),
        (_, Some(number)) => Ok(Signal::Other(number)),
        (_, None) => Err(invalid("signal", "must be the name of a signal, such as SIGTERM")),
    }
}

/// How large a terminal is.
pub fn size(size: wire::TerminalSize) -> Result<TerminalSize, Status> {
    let bounded = |field: &str, number: u32| match u16::try_from(number) {
        Ok(number) if (1..=1000).contains(&number) => Ok(number),
        Ok(_) | Err(_) => Err(invalid(field, "must be from 1 to 1000")),
    };
    Ok(TerminalSize { rows: bounded("rows", size.rows)?, columns: bounded("cols", size.columns)? })
}
