//! Unpacks a tar archive of somebody else's into a workspace.

mod bounded;
mod entry;
#[cfg(test)]
mod tests;

use futures::StreamExt;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_tar::{Archive, ArchiveBuilder, Entry};

use self::bounded::{Allowance, Bounded};
use self::entry::{Kind, Part};
use super::MOST_ENTRIES;
use crate::sandbox::backend::SandboxError;
use crate::sandbox::files::{
    Condition, FileError, FilePath, FileSystem, MOST_OF_A_PIECE, NewFile, Placing,
};

/// Bytes that may follow the end of an archive: `tar` fills its last record up.
const AFTER_THE_END: u64 = 1 << 20;

/// What was unpacked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// Regular files, those that are links of others included.
    pub files: u64,
    /// Directories that the archive names.
    pub directories: u64,
    /// Symbolic links.
    pub links: u64,
    /// Of all files.
    pub bytes: u64,
}

/// Why it was not unpacked, or not all of it. What came before stays.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The archive is none, breaks off, or holds what may not be unpacked.
    #[error("{0}")]
    Refused(String),
    /// The workspace does not take an entry.
    #[error("{entry}: {error}")]
    File {
        /// Its name in the archive, as text.
        entry: String,
        /// Why.
        error: FileError,
    },
    /// See [`SandboxError`].
    #[error(transparent)]
    Sandbox(SandboxError),
}

/// Unpacks what `archive` gives into `directory`, or into the workspace itself: at most `most` bytes of content.
pub async fn unpack(
    files: &(dyn FileSystem + Send + Sync),
    directory: Option<&FilePath>,
    archive: impl AsyncRead + Unpin + Send,
    most: u64,
) -> Result<Unpacked, UnpackError> {
    let allowance = Allowance::default();
    let bounded = Bounded::new(archive, allowance.clone());
    let mut archive = ArchiveBuilder::new(bounded).build();
    let mut done = Unpacked::default();
    let mut entries = archive.entries().map_err(|error| broken(&error))?;
    if let Some(directory) = directory {
        let made = files.make_directory(directory, true, None).await;
        made.map_err(|error| failed(error, &directory.to_string()))?;
    }
    let mut count = 0;
    loop {
        allowance.for_a_header();
        let Some(entry) = entries.next().await.transpose().map_err(|error| broken(&error))? else {
            break;
        };
        count += 1;
        if count > MOST_ENTRIES {
            return Err(refused(format!("the archive has more than {MOST_ENTRIES} entries")));
        }
        allowance.for_content(entry.effective_size());
        let left = most.saturating_sub(done.bytes);
        take(files, directory, entry, left, &mut done).await?;
    }
    drop(entries);
    rest(archive, &allowance).await?;
    Ok(done)
}

/// Reads what follows the end, so that whoever sends it is heard out.
async fn rest<R: AsyncRead + Unpin>(
    archive: Archive<R>,
    allowance: &Allowance,
) -> Result<(), UnpackError> {
    let Ok(mut source) = archive.into_inner() else {
        return Ok(());
    };
    allowance.for_content(AFTER_THE_END);
    let mut piece = vec![0; 32 << 10];
    while source.read(&mut piece).await.map_err(|error| broken(&error))? > 0 {}
    Ok(())
}

/// Unpacks one entry of at most `left` bytes.
async fn take<R: AsyncRead + Unpin + Send>(
    files: &(dyn FileSystem + Send + Sync),
    directory: Option<&FilePath>,
    mut entry: Entry<R>,
    left: u64,
    done: &mut Unpacked,
) -> Result<(), UnpackError> {
    let Some(Part { path, kind, mode, modified }) = entry::read(directory, &entry)? else {
        return Ok(());
    };
    let named = path.to_string();
    let said = |error| failed(error, &named);
    match kind {
        Kind::Directory => {
            // Nothing could be unpacked into one that is closed.
            files.make_directory(&path, true, Some(mode | 0o700)).await.map_err(said)?;
            done.directories += 1;
        }
        Kind::Link { target } => {
            files.link(&path, &target).await.map_err(said)?;
            done.links += 1;
        }
        Kind::Same { file } => {
            let placing = Placing { overwrite: true, parents: true };
            let size = files.copy(&file, &path, placing).await.map_err(said)?.size;
            done.files += 1;
            done.bytes += size;
        }
        Kind::File => {
            let new = NewFile { parents: true, append: false, mode: Some(mode), modified };
            let mut writer = files.create(&path, new).await.map_err(said)?;
            let (mut piece, mut size) = (vec![0; MOST_OF_A_PIECE], 0);
            loop {
                let read = entry.read(&mut piece).await.map_err(|error| broken(&error))?;
                if read == 0 {
                    break;
                }
                size += read as u64;
                if size > left {
                    return Err(failed(FileError::TooLarge.into(), &named));
                }
                writer.write(&piece[..read]).await.map_err(said)?;
            }
            if size < entry.effective_size() {
                return Err(refused(format!("the archive breaks off in {named}")));
            }
            writer.commit(&Condition::default()).await.map_err(said)?;
            done.files += 1;
            done.bytes += size;
        }
    }
    Ok(())
}

fn refused(text: String) -> UnpackError {
    UnpackError::Refused(text)
}

fn broken(error: &std::io::Error) -> UnpackError {
    refused(format!("this is no archive of tar's, or it breaks off: {error}"))
}

fn failed(error: SandboxError, entry: &str) -> UnpackError {
    match error {
        SandboxError::File(error) => UnpackError::File { entry: entry.to_owned(), error },
        error => UnpackError::Sandbox(error),
    }
}
