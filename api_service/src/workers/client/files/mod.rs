//! Files of sessions.

mod download;
mod from_wire;
mod upload;

use std::time::Duration;

use proto::execution_v1 as wire;
use tonic::Streaming;

pub use self::download::{Download, FoundFile};
pub use self::upload::{Sent, Upload};
use super::{Call, Error, InSession, WorkerClient};
use crate::domain::byte_range::ByteRange;
use crate::domain::files::{Condition, FileChange, FileInfo, FilePath, Listing, Placing, Versions};

/// How long the worker may say nothing while something is waited for: longer than it waits itself for a sandbox.
const SILENCE: Duration = Duration::from_secs(45);

/// What is wanted of a file.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Which versions.
    pub condition: Condition,
    /// Which part.
    pub range: Option<ByteRange>,
    /// The part is wanted of this version, and all of any other.
    pub range_of: Option<String>,
}

fn bytes(path: Option<&FilePath>) -> bytes::Bytes {
    path.map(|path| path.as_bytes().to_vec()).unwrap_or_default().into()
}

fn condition(condition: &Condition) -> wire::FileCondition {
    let versions = |versions: &Versions| match versions {
        Versions::Any => wire::FileVersions { any: true, versions: Vec::new() },
        Versions::These(these) => wire::FileVersions { any: false, versions: these.clone() },
    };
    let Condition { is, is_not } = condition;
    wire::FileCondition { is: is.as_ref().map(versions), is_not: is_not.as_ref().map(versions) }
}

impl WorkerClient {
    /// What is below a directory, or below the workspace.
    ///
    /// # Errors
    /// [`Error::File`], or that there is no such session.
    pub async fn list_files(
        &self,
        call: &Call,
        of: InSession<'_>,
        path: Option<&FilePath>,
        (depth, limit): (u32, u32),
    ) -> Result<Listing, Error> {
        let (session_id, owner) = of.ids();
        let path = bytes(path);
        let message = wire::ListFilesRequest { session_id, owner, path, depth, limit };
        let answer =
            self.call(call, message, async |rpc, request| rpc.files().list_files(request).await);
        from_wire::listing(answer.await?)
    }

    /// Removes a file, a link or a directory.
    ///
    /// # Errors
    /// As [`WorkerClient::list_files`].
    pub async fn remove_file(
        &self,
        call: &Call,
        of: InSession<'_>,
        path: &FilePath,
        whole: bool,
        only_if: &Condition,
    ) -> Result<(), Error> {
        let ((session_id, owner), path) = (of.ids(), bytes(Some(path)));
        let condition = Some(condition(only_if));
        let message = wire::RemoveFileRequest { session_id, owner, path, whole, condition };
        let answer =
            self.call(call, message, async |rpc, request| rpc.files().remove_file(request).await);
        answer.await.map(|wire::FilesDone {}| ())
    }

    /// Gives something another name.
    ///
    /// # Errors
    /// As [`WorkerClient::list_files`].
    pub async fn move_file(
        &self,
        call: &Call,
        of: InSession<'_>,
        names: (&FilePath, &FilePath),
        placing: Placing,
    ) -> Result<(), Error> {
        let message = place(of, names, placing);
        let answer =
            self.call(call, message, async |rpc, request| rpc.files().move_file(request).await);
        answer.await.map(|wire::FilesDone {}| ())
    }

    /// Copies a regular file.
    ///
    /// # Errors
    /// As [`WorkerClient::list_files`].
    pub async fn copy_file(
        &self,
        call: &Call,
        of: InSession<'_>,
        names: (&FilePath, &FilePath),
        placing: Placing,
    ) -> Result<FileInfo, Error> {
        let message = place(of, names, placing);
        let answer =
            self.call(call, message, async |rpc, request| rpc.files().copy_file(request).await);
        from_wire::info(answer.await?)
    }

    /// Makes a directory; true if it was not there.
    ///
    /// # Errors
    /// As [`WorkerClient::list_files`].
    pub async fn make_directory(
        &self,
        call: &Call,
        of: InSession<'_>,
        path: &FilePath,
        parents: bool,
    ) -> Result<bool, Error> {
        let ((session_id, owner), path) = (of.ids(), bytes(Some(path)));
        let message = wire::MakeDirectoryRequest { session_id, owner, path, parents };
        let answer = self
            .call(call, message, async |rpc, request| rpc.files().make_directory(request).await);
        answer.await.map(|wire::MakeDirectoryResponse { made }| made)
    }

    /// Begins to watch a directory.
    ///
    /// # Errors
    /// As [`WorkerClient::list_files`].
    pub async fn watch_files(
        &self,
        call: &Call,
        of: InSession<'_>,
        path: Option<&FilePath>,
        depth: u32,
    ) -> Result<Watch, Error> {
        let ((session_id, owner), path) = (of.ids(), bytes(path));
        let message = wire::WatchFilesRequest { session_id, owner, path, depth };
        let stream =
            self.call(call, message, async |rpc, request| rpc.files().watch_files(request).await);
        Ok(Watch { stream: stream.await? })
    }
}

fn place(
    of: InSession<'_>,
    (from, to): (&FilePath, &FilePath),
    Placing { overwrite, parents }: Placing,
) -> wire::PlaceFileRequest {
    let (session_id, owner) = of.ids();
    let (from, to) = (bytes(Some(from)), bytes(Some(to)));
    wire::PlaceFileRequest { session_id, owner, from, to, overwrite, parents }
}

/// A watched directory. Dropping it ends the watch.
pub struct Watch {
    stream: Streaming<wire::FileChanges>,
}

/// What has changed since the last.
#[derive(Debug)]
pub struct Changes {
    /// By path; none at first, when the watch has begun.
    pub changes: Vec<FileChange>,
    /// There is more below the directory than is watched.
    pub truncated: bool,
    /// There will be no more, for this reason.
    pub ended: Option<String>,
}

impl Watch {
    /// The next changes; nothing after the last.
    ///
    /// # Errors
    /// When the worker is lost.
    pub async fn next(&mut self) -> Result<Option<Changes>, Error> {
        self.stream.message().await?.map(from_wire::changes).transpose()
    }
}
