//! The pipes of a process in a sandbox, as they are handed from the spawner to the worker and on to init.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// One side's ends of the pipes of a process.
pub struct Ends {
    /// Of descriptor 0, if that is a pipe.
    pub stdin: Option<OwnedFd>,
    /// Of descriptors 1 and 2.
    pub output: [OwnedFd; 2],
    /// Of descriptors 3 and 4, if it has a control channel: it reads the first and writes the second.
    pub control: Option<[OwnedFd; 2]>,
}

impl Ends {
    /// In the order of the process's descriptors.
    pub fn into_descriptors(self) -> Vec<OwnedFd> {
        self.stdin
            .into_iter()
            .chain(self.output)
            .chain(self.control.into_iter().flatten())
            .collect()
    }

    fn as_fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let all = self.stdin.iter().chain(&self.output).chain(self.control.iter().flatten());
        all.map(AsFd::as_fd)
    }

    fn received(fds: &mut impl Iterator<Item = OwnedFd>, stdin: bool) -> Option<Self> {
        let stdin = if stdin { Some(fds.next()?) } else { None };
        let output = [fds.next()?, fds.next()?];
        Some(Self { stdin, output, control: Some([fds.next()?, fds.next()?]) })
    }
}

/// Both sides' ends.
pub struct Pipes {
    /// The worker's.
    pub outer: Ends,
    /// The process's.
    pub inner: Ends,
}

impl Pipes {
    /// To be sent.
    pub fn carried(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.outer.as_fds().chain(self.inner.as_fds())
    }

    /// As [`Pipes::carried`] sent them, with one for descriptor 0 if `stdin`.
    pub fn received(fds: &mut impl Iterator<Item = OwnedFd>, stdin: bool) -> Option<Self> {
        Some(Self { outer: Ends::received(fds, stdin)?, inner: Ends::received(fds, stdin)? })
    }

    /// Those of a process without a control channel.
    pub fn without_control(mut self) -> Self {
        self.outer.control = None;
        self.inner.control = None;
        self
    }
}
