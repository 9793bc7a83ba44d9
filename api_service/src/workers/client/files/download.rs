//! Contents of files from the worker: a piece is asked for when there is room for it here, so that one whose caller
//! does not read keeps nothing on the connection that all calls share.

use bytes::Bytes;
use proto::execution_v1 as wire;
use proto::execution_v1::download_piece::Piece;
use proto::execution_v1::download_request::Step;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::Streaming;

use super::{InSession, SILENCE, Wanted, bytes, condition, from_wire};
use crate::domain::byte_range::{ByteRange, Part};
use crate::domain::files::{FileInfo, FilePath};
use crate::workers::client::{Call, Error, WorkerClient};

/// Pieces of one download that wait here for its caller.
const AHEAD: usize = 2;

/// A file that was opened.
pub struct FoundFile {
    /// What is known of it.
    pub info: FileInfo,
    /// Which part comes; all of it if that was not asked for.
    pub part: Option<Part>,
    /// It is a version that was not wanted.
    pub not_modified: bool,
    /// It has no such bytes as were asked for.
    pub no_such_range: bool,
    /// What comes of it.
    pub content: Download,
}

/// Contents on their way. Nothing comes before it is asked for; dropping it ends it.
pub struct Download(Stage);

enum Stage {
    Opened {
        steps: mpsc::Sender<wire::DownloadRequest>,
        pieces: Box<Streaming<wire::DownloadPiece>>,
    },
    Reading {
        pieces: mpsc::Receiver<Result<Bytes, Error>>,
        _reader: DropGuard,
    },
    Over,
}

impl WorkerClient {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::File`], or that there is no such session.
    pub async fn download(
        &self,
        call: &Call,
        of: InSession<'_>,
        path: &FilePath,
        wanted: &Wanted,
    ) -> Result<FoundFile, Error> {
        let ((session_id, owner), path) = (of.ids(), bytes(Some(path)));
        let file = wire::FileDownload {
            session_id,
            owner,
            path,
            condition: Some(condition(&wanted.condition)),
            range: wanted.range.map(range),
            range_of: wanted.range_of.clone().unwrap_or_default(),
        };
        let (first, content) = self.open(call, Step::File(file)).await?;
        let Piece::Found(found) = first else {
            return Err(Error::Malformed("a download of no file"));
        };
        let wire::FileFound { info, offset, length, not_modified, no_such_range, partial } = found;
        let info = from_wire::some_info(info)?;
        let part = partial.then_some(Part { first: offset, length });
        let possible = offset.checked_add(length).is_some_and(|end| end <= info.size);
        if !possible || (partial && length == 0) {
            return Err(Error::Malformed("a part of a file that is not in it"));
        }
        Ok(FoundFile { info, part, not_modified, no_such_range, content })
    }

    /// Opens an archive of a directory, or of the workspace.
    ///
    /// # Errors
    /// As [`WorkerClient::download`].
    pub async fn download_archive(
        &self,
        call: &Call,
        of: InSession<'_>,
        path: Option<&FilePath>,
    ) -> Result<Download, Error> {
        let ((session_id, owner), path) = (of.ids(), bytes(path));
        let archive = wire::ArchiveDownload { session_id, owner, path };
        match self.open(call, Step::Archive(archive)).await? {
            (Piece::Archive(wire::ArchiveFound {}), content) => Ok(content),
            _ => Err(Error::Malformed("a download of no archive")),
        }
    }

    async fn open(&self, call: &Call, first: Step) -> Result<(Piece, Download), Error> {
        let first = wire::DownloadRequest { step: Some(first) };
        // The stream of steps is made anew when nothing of it was sent.
        let opened = self.call(call, first, async |rpc, request| {
            let (metadata, extensions, first) = request.into_parts();
            let (steps, stream) = super::upload::stream_of(first);
            let request = tonic::Request::from_parts(metadata, extensions, stream);
            let answer = rpc.files().download(request).await?;
            Ok(answer.map(|pieces| (steps, pieces)))
        });
        let (steps, mut pieces) = opened.await?;
        let first = next(&mut pieces).await?;
        Ok((first, Download(Stage::Opened { steps, pieces: Box::new(pieces) })))
    }
}

impl Download {
    /// The next piece; nothing after the last.
    ///
    /// # Errors
    /// When it breaks off.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if let Stage::Opened { .. } = self.0
            && let Stage::Opened { steps, pieces } = std::mem::replace(&mut self.0, Stage::Over)
        {
            let (room, receiver) = mpsc::channel(AHEAD);
            let ended = CancellationToken::new();
            tokio::spawn(ended.clone().run_until_cancelled_owned(read(steps, *pieces, room)));
            self.0 = Stage::Reading { pieces: receiver, _reader: ended.drop_guard() };
        }
        match &mut self.0 {
            Stage::Reading { pieces, .. } => pieces.recv().await.transpose(),
            Stage::Opened { .. } | Stage::Over => Ok(None),
        }
    }
}

/// Asks for a piece whenever there is `room` for one.
async fn read(
    steps: mpsc::Sender<wire::DownloadRequest>,
    mut pieces: Streaming<wire::DownloadPiece>,
    room: mpsc::Sender<Result<Bytes, Error>>,
) {
    while let Ok(place) = room.reserve().await {
        let more = wire::DownloadRequest { step: Some(Step::More(wire::MorePieces {})) };
        // Fails when the worker has ended it, which says why.
        let _ = steps.send(more).await;
        match next(&mut pieces).await {
            Ok(Piece::Data(piece)) => place.send(Ok(piece)),
            Ok(Piece::End(wire::DownloadEnd {})) => return,
            Ok(Piece::Found(_) | Piece::Archive(_)) => {
                return place.send(Err(Error::Malformed("a download that begins again")));
            }
            Err(error) => return place.send(Err(error)),
        }
    }
}

async fn next(pieces: &mut Streaming<wire::DownloadPiece>) -> Result<Piece, Error> {
    let message = timeout(SILENCE, pieces.message()).await;
    let message = message.map_err(|_| Error::DeadlineExceeded)??;
    let piece = message.and_then(|message| message.piece);
    piece.ok_or(Error::Malformed("a download without an end"))
}

fn range(range: ByteRange) -> wire::FileRange {
    use wire::file_range::Range;
    let range = match range {
        ByteRange::From { first, last: None } => Range::From(first),
        ByteRange::From { first, last: Some(last) } => Range::FromTo(wire::FromTo { first, last }),
        ByteRange::Last(count) => Range::Last(count),
    };
    wire::FileRange { range: Some(range) }
}
