//! A process of a sandbox, put together from the ends of its pipes.

use std::io;
use std::os::fd::OwnedFd;

use tokio::sync::oneshot;

use super::output::OutputPipe;
use super::pipe::{self, End};
use crate::sandbox::backend::{Process, ProcessEnd, ProcessId};

/// With the worker's ends of its descriptors 1, 2 and, if it has a control channel, 3 and 4.
pub fn process(
    pid: i32,
    ends: &[OwnedFd],
    control: bool,
    exit: oneshot::Receiver<ProcessEnd>,
) -> io::Result<Process> {
    let (stdout, stderr, channel) = match (ends, control) {
        ([stdout, stderr], false) => (stdout, stderr, None),
        ([stdout, stderr, requests, frames], true) => (stdout, stderr, Some((requests, frames))),
        _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "other ends than asked for")),
    };
    let (stdout, stderr) = (OutputPipe::new(stdout)?, OutputPipe::new(stderr)?);
    let control = channel
        .map(|(requests, frames)| pipe::control(requests, frames, (End::Writing, End::Reading)))
        .transpose()?;
    let id = ProcessId(u32::try_from(pid).map_err(io::Error::other)?);
    Ok(Process { id, stdout: Box::new(stdout), stderr: Box::new(stderr), control, exit })
}
