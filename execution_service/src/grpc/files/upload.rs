//! A file or an archive on its way from a caller, who is told when there is room for a piece.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream;
use proto::execution_v1 as wire;
use proto::wire::FILE_PIECE_BYTES;
use tokio::sync::mpsc::Sender;
use tokio_util::io::StreamReader;
use tonic::{Status, Streaming};
use wire::upload_reply::Reply;
use wire::upload_request::Step;

use super::{from_wire, to_wire};
use crate::grpc::status::{invalid, status};
use crate::sandbox::files::NewFile;
use crate::worker::Worker;

/// Pieces that may be on their way at once.
pub const IN_FLIGHT: usize = 2;

type Answers = Sender<Result<wire::UploadReply, Status>>;

/// What a caller sends.
struct Pieces<'a> {
    steps: Streaming<wire::UploadRequest>,
    answers: &'a Answers,
}

/// Serves one, to its end or the caller's.
pub async fn serve(
    worker: &Arc<Worker>,
    steps: Streaming<wire::UploadRequest>,
    answers: &Answers,
) -> Result<(), Status> {
    let mut pieces = Pieces { steps, answers };
    let first = tokio::select! {
        // Nobody's session ends what has named none.
        () = worker.shutdown.cancelled() => return Ok(()),
        first = pieces.step() => first?,
    };
    match first {
        Some(Step::File(file)) => upload_file(worker, file, pieces).await,
        Some(Step::Archive(archive)) => upload_archive(worker, archive, pieces).await,
        Some(Step::Data(_) | Step::End(_)) => Err(invalid("step", "must name what comes")),
        None => Ok(()),
    }
}

async fn upload_file(
    worker: &Arc<Worker>,
    file: wire::FileUpload,
    mut pieces: Pieces<'_>,
) -> Result<(), Status> {
    let told = |error| status(&error);
    let wire::FileUpload { session_id, owner, path, parents, append, condition, size } = file;
    let path = from_wire::path("path", path)?;
    let condition = from_wire::condition(condition)?;
    let transfer = worker.transfer((&session_id, &owner)).await.map_err(told)?;
    let new = NewFile { parents, append, mode: None, modified: None };
    let mut writer = transfer.create(&path, new, &condition, size).await.map_err(told)?;
    pieces.room(IN_FLIGHT).await?;
    loop {
        let piece = tokio::select! {
            error = transfer.ended() => return Err(status(&error)),
            piece = pieces.next() => piece?,
        };
        let Some(piece) = piece else { break };
        transfer.write(&mut writer, &piece).await.map_err(told)?;
        pieces.room(1).await?;
    }
    let written = transfer.commit(writer, &condition).await.map_err(told)?;
    let info = Some(to_wire::info(&written.status));
    let created = written.created;
    say(pieces.answers, Reply::Written(wire::FileWritten { info, created })).await
}

async fn upload_archive(
    worker: &Arc<Worker>,
    wire::ArchiveUpload { session_id, owner, path }: wire::ArchiveUpload,
    pieces: Pieces<'_>,
) -> Result<(), Status> {
    let told = |error| status(&error);
    let path = from_wire::directory("path", path)?;
    let transfer = worker.transfer((&session_id, &owner)).await.map_err(told)?;
    pieces.room(IN_FLIGHT).await?;
    let answers = pieces.answers;
    let bytes = stream::try_unfold(pieces, |mut pieces| async {
        let broken = |status: Status| io::Error::other(status.message().to_owned());
        let piece = pieces.next().await.map_err(broken)?;
        if piece.is_some() {
            pieces.room(1).await.map_err(broken)?;
        }
        Ok::<_, io::Error>(piece.map(|piece| (piece, pieces)))
    });
    let archive = StreamReader::new(Box::pin(bytes));
    let unpacked = transfer.unpack(path.as_ref(), archive).await.map_err(told)?;
    say(answers, Reply::Unpacked(to_wire::unpacked(&unpacked))).await
}

impl Pieces<'_> {
    async fn step(&mut self) -> Result<Option<Step>, Status> {
        let sent = super::next(&mut self.steps, "nothing was sent").await?;
        Ok(sent.and_then(|sent| sent.step))
    }

    /// The next piece; nothing after the last. A caller who goes away has not sent the last.
    async fn next(&mut self) -> Result<Option<Bytes>, Status> {
        match self.step().await? {
            Some(Step::Data(piece)) if piece.len() <= FILE_PIECE_BYTES => Ok(Some(piece)),
            Some(Step::Data(_)) => Err(invalid("data", "is more than one piece")),
            Some(Step::End(_)) => Ok(None),
            Some(Step::File(_) | Step::Archive(_)) => {
                Err(invalid("step", "must bring more of what was named first"))
            }
            None => Err(Status::cancelled("the caller is gone")),
        }
    }

    /// Tells that there is room for so many more.
    async fn room(&self, pieces: usize) -> Result<(), Status> {
        let pieces = u32::try_from(pieces).unwrap_or(1);
        say(self.answers, Reply::Room(wire::UploadRoom { pieces })).await
    }
}

async fn say(answers: &Answers, reply: Reply) -> Result<(), Status> {
    super::say(answers, wire::UploadReply { reply: Some(reply) }).await
}
