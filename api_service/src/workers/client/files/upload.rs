//! Contents of files to the worker: a piece is sent when the worker has room for it.

use bytes::Bytes;
use futures::{Stream, stream};
use proto::execution_v1 as wire;
use proto::execution_v1::upload_reply::Reply;
use proto::execution_v1::upload_request::Step;
use proto::wire::FILE_PIECE_BYTES;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tonic::Streaming;

use super::{InSession, SILENCE, bytes, condition, from_wire};
use crate::domain::files::{FilePath, NewFile, Unpacked, WrittenFile};
use crate::workers::client::{Call, Error, WorkerClient};

/// Messages that wait to be sent: the worker lets no more come at once.
const ON_THE_WAY: usize = 4;

/// Contents on their way. Dropping it before its end leaves nothing of a file.
pub struct Upload {
    steps: mpsc::Sender<wire::UploadRequest>,
    replies: Streaming<wire::UploadReply>,
    /// Pieces that the worker has room for.
    room: u32,
}

/// What came of an upload.
#[derive(Debug)]
pub enum Sent {
    /// A file.
    File(WrittenFile),
    /// An archive.
    Archive(Unpacked),
}

/// Where messages go in, and the stream of them, which begins with `first`.
pub(super) fn stream_of<T: Send + 'static>(
    first: T,
) -> (mpsc::Sender<T>, impl Stream<Item = T> + Send + 'static) {
    let (sender, receiver) = mpsc::channel(ON_THE_WAY);
    let messages = stream::unfold((Some(first), receiver), |(first, mut receiver)| async move {
        let message = match first {
            Some(first) => first,
            None => receiver.recv().await?,
        };
        Some((message, (None, receiver)))
    });
    (sender, messages)
}

impl WorkerClient {
    /// Begins a file. A condition that does not hold is told now, and looked at again at the end.
    ///
    /// # Errors
    /// [`Error::File`], or that there is no such session.
    pub async fn upload(
        &self,
        call: &Call,
        of: InSession<'_>,
        new: &NewFile,
    ) -> Result<Upload, Error> {
        let ((session_id, owner), path) = (of.ids(), bytes(Some(&new.path)));
        let NewFile { path: _, parents, append, condition: only_if, size } = new;
        let (parents, append, size) = (*parents, *append, *size);
        let condition = Some(condition(only_if));
        let file = wire::FileUpload { session_id, owner, path, parents, append, condition, size };
        self.begin(call, Step::File(file)).await
    }

    /// Begins an archive that is unpacked below a directory, or in the workspace.
    ///
    /// # Errors
    /// As [`WorkerClient::upload`].
    pub async fn upload_archive(
        &self,
        call: &Call,
        of: InSession<'_>,
        path: Option<&FilePath>,
    ) -> Result<Upload, Error> {
        let ((session_id, owner), path) = (of.ids(), bytes(path));
        let archive = wire::ArchiveUpload { session_id, owner, path };
        self.begin(call, Step::Archive(archive)).await
    }

    async fn begin(&self, call: &Call, first: Step) -> Result<Upload, Error> {
        let first = wire::UploadRequest { step: Some(first) };
        // The stream of steps is made anew when nothing of it was sent.
        let begun = self.call(call, first, async |rpc, request| {
            let (metadata, extensions, first) = request.into_parts();
            let (steps, stream) = stream_of(first);
            let request = tonic::Request::from_parts(metadata, extensions, stream);
            let answer = rpc.files().upload(request).await?;
            Ok(answer.map(|replies| (steps, replies)))
        });
        let (steps, replies) = begun.await?;
        let mut upload = Upload { steps, replies, room: 0 };
        upload.wait_for_room().await?;
        Ok(upload)
    }
}

impl Upload {
    /// Most bytes of a piece.
    pub const PIECE: usize = FILE_PIECE_BYTES;

    /// Sends a piece, of at most [`Upload::PIECE`] bytes.
    ///
    /// # Errors
    /// What went wrong by now.
    pub async fn send(&mut self, piece: Bytes) -> Result<(), Error> {
        while self.room == 0 {
            self.wait_for_room().await?;
        }
        self.room -= 1;
        self.step(Step::Data(piece)).await;
        Ok(())
    }

    /// All was sent: waits for what comes of it.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn finish(mut self) -> Result<Sent, Error> {
        self.step(Step::End(wire::UploadEnd {})).await;
        loop {
            match self.reply().await? {
                Reply::Room(_) => {}
                Reply::Written(wire::FileWritten { info, created }) => {
                    let info = from_wire::some_info(info)?;
                    return Ok(Sent::File(WrittenFile { info, created }));
                }
                Reply::Unpacked(wire::ArchiveUnpacked { files, directories, links, bytes }) => {
                    return Ok(Sent::Archive(Unpacked { files, directories, links, bytes }));
                }
            }
        }
    }

    async fn step(&self, step: Step) {
        // Fails when the worker has ended it: the next reply says why.
        let _ = self.steps.send(wire::UploadRequest { step: Some(step) }).await;
    }

    async fn wait_for_room(&mut self) -> Result<(), Error> {
        match self.reply().await? {
            Reply::Room(wire::UploadRoom { pieces }) => {
                self.room = self.room.saturating_add(pieces);
                Ok(())
            }
            Reply::Written(_) | Reply::Unpacked(_) => {
                Err(Error::Malformed("an upload that ends before its end"))
            }
        }
    }

    async fn reply(&mut self) -> Result<Reply, Error> {
        let message = timeout(SILENCE, self.replies.message()).await;
        let message = message.map_err(|_| Error::DeadlineExceeded)??;
        let reply = message.and_then(|message| message.reply);
        reply.ok_or(Error::Malformed("an upload without an end"))
    }
}
