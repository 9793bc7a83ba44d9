//! A process in a sandbox, as the worker holds it: its ends of the pipes.

use std::io;
use std::os::fd::OwnedFd;

use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::sync::oneshot;

use super::output::OutputPipe;
use super::terminal::TerminalEnd;
use crate::sandbox::backend::{Control, Ended, Process, ProcessEnd, ProcessId};
use crate::sandbox::linux::wire::pipes::Ends;

/// The process `pid` at the other ends of `outer`.
pub fn process(pid: i32, outer: Ends, exit: oneshot::Receiver<ProcessEnd>) -> io::Result<Process> {
    let Ends { stdin, output: [stdout, stderr], control: channel } = outer;
    let stdin = match stdin {
        Some(stdin) => Some(Box::new(Sender::from_owned_fd(stdin)?) as _),
        None => None,
    };
    let control = match channel {
        Some([requests, frames]) => Some(control(requests, frames)?),
        None => None,
    };
    Ok(Process {
        id: id(pid)?,
        stdin,
        terminal: None,
        stdout: Box::new(OutputPipe::new(stdout)?),
        stderr: Box::new(OutputPipe::new(stderr)?),
        control,
        exit,
    })
}

/// The process `pid` at the other end of the terminal `outer`.
pub fn in_terminal(
    pid: i32,
    outer: OwnedFd,
    exit: oneshot::Receiver<ProcessEnd>,
) -> io::Result<Process> {
    let end = TerminalEnd::new(outer)?;
    Ok(Process {
        id: id(pid)?,
        stdin: Some(Box::new(end.clone())),
        terminal: Some(Box::new(end.clone())),
        stdout: Box::new(end),
        stderr: Box::new(Ended),
        control: None,
        exit,
    })
}

fn id(pid: i32) -> io::Result<ProcessId> {
    Ok(ProcessId(u32::try_from(pid).map_err(io::Error::other)?))
}

/// A kernel's control channel: it reads `requests` and writes `frames`.
pub fn control(requests: OwnedFd, frames: OwnedFd) -> io::Result<Control> {
    let writer = Sender::from_owned_fd(requests)?;
    let reader = Receiver::from_owned_fd(frames)?;
    Ok(Control { reader: Box::new(reader), writer: Box::new(writer) })
}
