//! A file or an archive on its way to a caller, who asks for each piece.

use std::sync::Arc;

use proto::execution_v1 as wire;
use tokio::sync::mpsc::Sender;
use tonic::{Status, Streaming};
use wire::download_piece::Piece;
use wire::download_request::Step;

use super::{from_wire, to_wire};
use crate::grpc::status::{invalid, status};
use crate::worker::Worker;
use crate::worker::files::{OpenDownload, Transfer};

type Answers = Sender<Result<wire::DownloadPiece, Status>>;

/// Serves one, to its end or the caller's.
pub async fn serve(
    worker: &Arc<Worker>,
    mut steps: Streaming<wire::DownloadRequest>,
    answers: &Answers,
) -> Result<(), Status> {
    let told = |error| status(&error);
    let first = tokio::select! {
        // Nobody's session ends what has named none.
        () = worker.shutdown.cancelled() => return Ok(()),
        first = next(&mut steps) => first?,
    };
    match first {
        Some(Step::File(file)) => {
            let wire::FileDownload { session_id, owner, path, condition, range, range_of } = file;
            let path = from_wire::path("path", path)?;
            let asked = from_wire::asked(condition, range, &range_of)?;
            let transfer = worker.transfer((&session_id, &owner)).await.map_err(told)?;
            let (found, open) = transfer.file(&path, &asked).await.map_err(told)?;
            say(answers, Piece::Found(to_wire::found(&found))).await?;
            pieces(&transfer, open, steps, answers).await
        }
        Some(Step::Archive(wire::ArchiveDownload { session_id, owner, path })) => {
            let path = from_wire::directory("path", path)?;
            let transfer = worker.transfer((&session_id, &owner)).await.map_err(told)?;
            let open = transfer.archive(path.as_ref()).await.map_err(told)?;
            say(answers, Piece::Archive(wire::ArchiveFound {})).await?;
            pieces(&transfer, open, steps, answers).await
        }
        Some(Step::More(_)) => Err(invalid("step", "must name what is wanted")),
        None => Ok(()),
    }
}

/// Sends each piece that is asked for.
async fn pieces(
    transfer: &Transfer,
    mut open: OpenDownload<'_>,
    mut steps: Streaming<wire::DownloadRequest>,
    answers: &Answers,
) -> Result<(), Status> {
    loop {
        let step = tokio::select! {
            error = transfer.ended() => return Err(status(&error)),
            step = next(&mut steps) => step?,
        };
        match step {
            Some(Step::More(_)) => {}
            Some(Step::File(_) | Step::Archive(_)) => {
                return Err(invalid("step", "must ask for more of what was named first"));
            }
            None => return Ok(()),
        }
        match transfer.next(&mut open).await.map_err(|error| status(&error))? {
            Some(piece) => say(answers, Piece::Data(piece.into())).await?,
            None => return say(answers, Piece::End(wire::DownloadEnd {})).await,
        }
    }
}

/// What the caller wants next; nothing when he is gone.
async fn next(steps: &mut Streaming<wire::DownloadRequest>) -> Result<Option<Step>, Status> {
    let asked = super::next(steps, "nothing was asked for").await?;
    Ok(asked.and_then(|asked| asked.step))
}

async fn say(answers: &Answers, piece: Piece) -> Result<(), Status> {
    super::say(answers, wire::DownloadPiece { piece: Some(piece) }).await
}
