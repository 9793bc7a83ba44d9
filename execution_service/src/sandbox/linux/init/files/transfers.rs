//! Contents on their way: out of a file into a pipe of the worker's, out of a pipe into a file, or between two
//! files. Init moves a piece of each whenever it can be moved without waiting, and answers everything
//! else in between. A pipe whose other end was dropped is the end of its transfer.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::poll::{PollFd, PollFlags};
use rustix::fs::{fstat, ftruncate};
use rustix::io::{Errno, pread, write};
use rustix::pipe::{SpliceFlags, splice};

use super::draft::Draft;
use super::place::{Place, Said, file_error, open_regular};
use super::status::status_of;
use crate::sandbox::files::{
    Condition, FileError, FilePath, FileStatus, NewFile, Placing, Versions, Written,
};
use crate::sandbox::linux::wire::Sequence;
use crate::sandbox::linux::wire::files::FilesReply;

/// Most transfers at once. The worker begins fewer: more are of one that was dropped a moment ago.
const MOST: usize = 32;
/// Most bytes that are moved at once: some hundred microseconds' work.
const PIECE: usize = 256 << 10;

/// All transfers, each by the number of the request that began it.
#[derive(Default)]
pub struct Transfers(BTreeMap<Sequence, Transfer>);

/// What is known of a reply that comes later.
type Answer = (Sequence, FilesReply);

enum Transfer {
    /// Out of a file. Before it is known which part, there is nothing to do.
    Out { file: OwnedFd, pipe: OwnedFd, part: Option<Part> },
    /// Into a file.
    In { draft: Draft, pipe: OwnedFd, written: u64, commit: Option<Commit> },
    /// It went wrong. The pipe is closed, so that whoever sends sees it, and asks.
    Failed(FileError),
    /// Between two files; the first is a draft if it goes behind another.
    Across { from: OwnedFd, part: Part, to: Target, sequence: Sequence },
}

struct Part {
    at: u64,
    left: u64,
}

struct Commit {
    sequence: Sequence,
    size: u64,
    condition: Condition,
}

enum Target {
    /// Behind what is there, which had so many bytes.
    Behind(OwnedFd, u64),
    /// A new file, which is given its name at the end if the place is as free as it has to be.
    Draft(Draft, Placing),
}

/// What came of one step.
enum Step {
    /// There may be more to do.
    On,
    /// It is over, and perhaps somebody is told so.
    Over(Option<Answer>),
    /// It goes on as another one.
    Becomes(Transfer),
}

impl Transfers {
    /// Makes room for one more. Of those that went wrong nobody may ever ask.
    fn make_room(&mut self) -> Result<(), FileError> {
        if self.0.len() >= MOST {
            self.0.retain(|_, transfer| !matches!(transfer, Transfer::Failed(_)));
        }
        if self.0.len() < MOST { Ok(()) } else { Err(FileError::Busy) }
    }

    /// Opens a file that is to be sent to `pipe`.
    pub fn open(
        &mut self,
        workspace: BorrowedFd<'_>,
        (sequence, pipe): (Sequence, OwnedFd),
        path: &FilePath,
    ) -> Result<FileStatus, FileError> {
        self.make_room()?;
        let (file, status) = open_regular(workspace, path, libc::O_RDONLY)?;
        self.0.insert(sequence, Transfer::Out { file, pipe, part: None });
        Ok(status)
    }

    /// Begins to send a part of a file that was opened.
    pub fn send(&mut self, opened: Sequence, offset: u64, length: u64) -> Result<(), FileError> {
        match self.0.get_mut(&opened) {
            Some(Transfer::Out { part, .. }) if part.is_none() => {
                *part = Some(Part { at: offset, left: length });
                Ok(())
            }
            Some(_) | None => Err(FileError::NotFound),
        }
    }

    /// Begins a file of what comes by `pipe`.
    pub fn create(
        &mut self,
        workspace: BorrowedFd<'_>,
        (sequence, pipe): (Sequence, OwnedFd),
        path: FilePath,
        new: NewFile,
    ) -> Result<Option<FileStatus>, FileError> {
        self.make_room()?;
        let (draft, replaces) = Draft::begin(workspace, path, new)?;
        let transfer = Transfer::In { draft, pipe, written: 0, commit: None };
        self.0.insert(sequence, transfer);
        Ok(replaces)
    }

    /// Has a file take its name when all of it has come; that is answered later.
    pub fn commit(
        &mut self,
        begun: Sequence,
        (sequence, size): (Sequence, u64),
        condition: Condition,
    ) -> Result<(), FileError> {
        match self.0.get_mut(&begun) {
            Some(Transfer::In { commit, .. }) if commit.is_none() => {
                *commit = Some(Commit { sequence, size, condition });
                Ok(())
            }
            Some(Transfer::Failed(error)) => {
                let error = *error;
                self.0.remove(&begun);
                Err(error)
            }
            Some(_) | None => Err(FileError::NotFound),
        }
    }

    /// Begins to copy a file; that is answered later.
    pub fn copy(
        &mut self,
        workspace: BorrowedFd<'_>,
        sequence: Sequence,
        (from, to): (&FilePath, FilePath),
        placing: Placing,
    ) -> Result<(), FileError> {
        self.make_room()?;
        let (file, status) = open_regular(workspace, from, libc::O_RDONLY)?;
        if !placing.overwrite && Place::of(workspace, &to, placing.parents)?.status()?.is_some() {
            return Err(FileError::Exists);
        }
        let mode = Some(status.mode & 0o777);
        let new = NewFile { parents: placing.parents, append: false, mode, modified: None };
        let (draft, _) = Draft::begin(workspace, to, new)?;
        let part = Part { at: 0, left: status.size };
        let to = Target::Draft(draft, placing);
        self.0.insert(sequence, Transfer::Across { from: file, part, to, sequence });
        Ok(())
    }

    /// What is to be waited for.
    pub fn wanted(&self) -> impl Iterator<Item = PollFd<'_>> {
        self.0.values().filter_map(|transfer| match transfer {
            Transfer::Out { pipe, part, .. } => {
                let events = if part.is_some() { PollFlags::POLLOUT } else { PollFlags::empty() };
                Some(PollFd::new(pipe.as_fd(), events))
            }
            Transfer::In { pipe, .. } => Some(PollFd::new(pipe.as_fd(), PollFlags::POLLIN)),
            Transfer::Across { .. } | Transfer::Failed(_) => None,
        })
    }

    /// Whether something can be done without waiting for anything.
    pub fn have_work(&self) -> bool {
        self.0.values().any(|transfer| match transfer {
            Transfer::Out { .. } | Transfer::Failed(_) => false,
            Transfer::In { commit, .. } => commit.is_some(),
            Transfer::Across { .. } => true,
        })
    }

    /// Does a piece of each that can go on, and gives the answers that are due.
    pub fn go_on(&mut self, workspace: BorrowedFd<'_>) -> Vec<Answer> {
        let mut answers = Vec::new();
        let mut changed = Vec::new();
        self.0.retain(|sequence, transfer| match transfer.step(workspace) {
            Step::On => true,
            Step::Over(answer) => {
                answers.extend(answer);
                false
            }
            Step::Becomes(other) => {
                changed.push((*sequence, other));
                false
            }
        });
        self.0.extend(changed);
        answers
    }
}

impl Transfer {
    fn step(&mut self, workspace: BorrowedFd<'_>) -> Step {
        match self {
            Self::Out { file, pipe, part } => out(file, pipe, part),
            Self::In { draft, pipe, written, commit } => {
                let taken = take(pipe, draft, written);
                let Some(Commit { sequence, size, condition }) = commit else {
                    return match taken {
                        Ok(Taken::Some | Taken::Nothing) => Step::On,
                        // Whoever sent it wants nothing of it.
                        Ok(Taken::End) => Step::Over(None),
                        Err(error) => Step::Becomes(Self::Failed(error)),
                    };
                };
                let (sequence, size) = (*sequence, *size);
                match taken {
                    Err(error) => return Step::Over(Some((sequence, FilesReply::Failed(error)))),
                    // Nobody is there to be answered.
                    Ok(Taken::End) if *written < size => return Step::Over(None),
                    Ok(_) if *written < size => return Step::On,
                    Ok(_) => {}
                }
                match draft.goes_behind(workspace, condition) {
                    Ok(None) => {
                        let written = draft.take_name(workspace, condition);
                        Step::Over(Some((sequence, reply(written))))
                    }
                    Ok(Some((behind, end))) => {
                        let part = Part { at: 0, left: size };
                        let to = Target::Behind(behind, end);
                        let from = draft.file().try_clone_to_owned();
                        match from.map_err(|error| file_error(&error)) {
                            Ok(from) => Step::Becomes(Self::Across { from, part, to, sequence }),
                            Err(error) => Step::Over(Some((sequence, FilesReply::Failed(error)))),
                        }
                    }
                    Err(error) => Step::Over(Some((sequence, FilesReply::Failed(error)))),
                }
            }
            Self::Failed(_) => Step::On,
            Self::Across { from, part, to, sequence } => {
                let target = match *to {
                    Target::Behind(ref file, _) => file.as_fd(),
                    Target::Draft(ref draft, _) => draft.file(),
                };
                match copy(from, target, part) {
                    Ok(true) => Step::On,
                    Ok(false) => Step::Over(Some((*sequence, reply(to.finish(workspace))))),
                    Err(error) => {
                        to.give_up(part.at);
                        Step::Over(Some((*sequence, FilesReply::Failed(error))))
                    }
                }
            }
        }
    }
}

impl Target {
    fn finish(&self, workspace: BorrowedFd<'_>) -> Result<Written, FileError> {
        match self {
            Self::Behind(file, _) => {
                Ok(Written { status: status_of(&fstat(file).said()?), created: false })
            }
            Self::Draft(draft, placing) => {
                let is_not = (!placing.overwrite).then_some(Versions::Any);
                draft.take_name(workspace, &Condition { is: None, is_not }).map_err(|error| {
                    if error == FileError::Changed { FileError::Exists } else { error }
                })
            }
        }
    }

    /// Takes back the `copied` bytes of one that could not be finished, if nobody has written behind them.
    fn give_up(&self, copied: u64) {
        if let Self::Behind(file, end) = self
            && fstat(file).is_ok_and(|found| found.st_size.cast_unsigned() == end + copied)
        {
            // It stays as it is if the kernel refuses.
            let _ = ftruncate(file, *end);
        }
    }
}

fn reply(result: Result<Written, FileError>) -> FilesReply {
    result.map_or_else(FilesReply::Failed, FilesReply::Written)
}

/// A piece of a file into its pipe.
fn out(file: &OwnedFd, pipe: &OwnedFd, part: &mut Option<Part>) -> Step {
    let Some(Part { at, left }) = part else {
        return if is_dropped(pipe) { Step::Over(None) } else { Step::On };
    };
    if *left == 0 {
        return Step::Over(None);
    }
    let most = usize::try_from(*left).unwrap_or(PIECE).min(PIECE);
    match splice(file, Some(at), pipe, None, most, SpliceFlags::NONBLOCK) {
        // User code has cut it off: the other side sees that some is missing.
        Ok(0) => Step::Over(None),
        Ok(moved) => {
            *left -= moved as u64;
            if *left == 0 { Step::Over(None) } else { Step::On }
        }
        Err(Errno::AGAIN | Errno::INTR) => Step::On,
        Err(_) => Step::Over(None),
    }
}

/// What came of a look into a pipe.
enum Taken {
    Some,
    Nothing,
    End,
}

/// A piece out of a pipe into its file.
fn take(pipe: &OwnedFd, draft: &Draft, written: &mut u64) -> Result<Taken, FileError> {
    match splice(pipe, None, draft.file(), Some(written), PIECE, SpliceFlags::NONBLOCK) {
        Ok(0) => Ok(Taken::End),
        Ok(_) => Ok(Taken::Some),
        Err(Errno::AGAIN | Errno::INTR) => Ok(Taken::Nothing),
        Err(error) => Err(file_error(&error.into())),
    }
}

/// A piece of a file into another, at its end; false after the last. What user code has cut off is not missed.
fn copy(from: &OwnedFd, to: BorrowedFd<'_>, part: &mut Part) -> Result<bool, FileError> {
    let most = usize::try_from(part.left).unwrap_or(PIECE).min(PIECE);
    let mut piece = vec![0; most];
    let read = pread(from, &mut piece, part.at).said()?;
    let mut left = &piece[..read];
    while !left.is_empty() {
        let written = write(to, left).said()?;
        left = &left[written..];
        part.at += written as u64;
        part.left -= written as u64;
    }
    Ok(read > 0 && part.left > 0)
}

/// Whether nobody has the other end of a pipe.
fn is_dropped(pipe: &OwnedFd) -> bool {
    let mut look = [PollFd::new(pipe.as_fd(), PollFlags::empty())];
    let gone = PollFlags::POLLERR | PollFlags::POLLHUP;
    nix::poll::poll(&mut look, nix::poll::PollTimeout::ZERO).is_ok()
        && look[0].revents().is_some_and(|events| events.intersects(gone))
}
