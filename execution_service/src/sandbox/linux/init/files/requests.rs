//! Answers what is asked about files of the workspace.

use std::os::fd::{BorrowedFd, OwnedFd};

use super::place::{DIRECTORY_MODE, Place, status};
use super::remove::remove;
use super::transfers::Transfers;
use crate::sandbox::files::{FileError, FileKind, FilePath, Placing};
use crate::sandbox::linux::wire::Sequence;
use crate::sandbox::linux::wire::files::{FilesReply, FilesRequest};

/// Carries out a request, which came with `fds`. Of what takes longer nothing is said now: see
/// [`Transfers::go_on`].
pub fn answer(
    workspace: BorrowedFd<'_>,
    transfers: &mut Transfers,
    (sequence, fds): (Sequence, Vec<OwnedFd>),
    request: FilesRequest,
) -> Option<FilesReply> {
    let pipe = || fds.into_iter().next().ok_or(FileError::Busy);
    let later = |begun: Result<(), FileError>| match begun {
        Ok(()) => None,
        Err(error) => Some(Err(error)),
    };
    use FilesRequest as Asked;
    let result = match request {
        Asked::Status { path } => Some(status(workspace, &path).map(FilesReply::Status)),
        Asked::Open { path } => Some(
            pipe()
                .and_then(|pipe| transfers.open(workspace, (sequence, pipe), &path))
                .map(FilesReply::Status),
        ),
        Asked::Send { opened, offset, length } => {
            Some(transfers.send(opened, offset, length).map(|()| FilesReply::Done))
        }
        Asked::Create { path, new } => Some(
            pipe()
                .and_then(|pipe| transfers.create(workspace, (sequence, pipe), path, new))
                .map(|replaces| FilesReply::Begun { replaces }),
        ),
        Asked::Commit { begun, size, condition } => {
            later(transfers.commit(begun, (sequence, size), condition))
        }
        Asked::Copy { from, to, placing } => {
            later(transfers.copy(workspace, sequence, (&from, to), placing))
        }
        Asked::Rename { from, to, placing } => {
            Some(rename(workspace, &from, &to, placing).map(|()| FilesReply::Done))
        }
        Asked::MakeDirectory { path, parents, mode } => {
            let made = make_directory(workspace, &path, parents, mode);
            Some(made.map(|made| FilesReply::Made { made }))
        }
        Asked::Link { path, target } => {
            let linked = Place::of(workspace, &path, true).and_then(|place| {
                place.replaceable()?;
                place.link_to(&target)
            });
            Some(linked.map(|()| FilesReply::Done))
        }
        Asked::Remove { path, whole, condition } => {
            let removed = remove(workspace, &path, whole, &condition);
            Some(removed.map(|more| if more { FilesReply::More } else { FilesReply::Done }))
        }
    };
    Some(result?.unwrap_or_else(FilesReply::Failed))
}

fn rename(
    workspace: BorrowedFd<'_>,
    from: &FilePath,
    to: &FilePath,
    Placing { overwrite, parents }: Placing,
) -> Result<(), FileError> {
    let old = Place::of(workspace, from, false)?;
    if old.status()?.is_none() {
        return Err(FileError::NotFound);
    }
    let new = Place::of(workspace, to, parents)?;
    if overwrite {
        new.replaceable()?;
    }
    new.rename_from(&old, overwrite)
}

fn make_directory(
    workspace: BorrowedFd<'_>,
    path: &FilePath,
    parents: bool,
    mode: Option<u32>,
) -> Result<bool, FileError> {
    let place = Place::of(workspace, path, parents)?;
    match place.make_directory(mode.unwrap_or(DIRECTORY_MODE)) {
        Ok(()) => Ok(true),
        Err(FileError::Exists) if parents => {
            // By a link as well: it can be used as one.
            match status(workspace, path)?.kind {
                FileKind::Directory => Ok(false),
                FileKind::Regular | FileKind::Symlink | FileKind::Special => Err(FileError::Exists),
            }
        }
        Err(error) => Err(error),
    }
}
