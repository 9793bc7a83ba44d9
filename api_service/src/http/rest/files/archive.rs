//! `…/files.tar`: the workspace or a directory of it, as one archive.

use actix_web::HttpResponse;
use actix_web::body::BodyStream;
use actix_web::web::{Data, Path};

use super::content::{IN_MEMORY, pieces, send};
use super::json::UnpackedAnswer;
use super::{Asker, headers};
use crate::http::extract::{AnswerRoom, ByteQuery, CurrentCaller, RequestId, StreamedBody};
use crate::http::failure::Failure;
use crate::services::Error;
use crate::services::files::{Receiving, Sent};
use crate::state::AppState;

/// A directory with all that is in it. Needs the scope `read`.
pub(in crate::http::rest) async fn get(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    room: AnswerRoom,
    query: ByteQuery,
    id: Path<String>,
) -> Result<HttpResponse, Failure> {
    let mut parameters = query.parameters()?;
    let path = parameters.path("path");
    parameters.finish()?;
    let asker = Asker::of(&id, caller, request_id)?;
    let contents = state.files.open_archive(asker.asked(), path.as_ref()).await?;
    room.enter(IN_MEMORY).await;
    let mut response = HttpResponse::Ok();
    let directory = path.as_ref().map_or(&b"files"[..], |path| path.name());
    headers::attachment(&mut response, &[directory, b".tar"].concat());
    response.content_type("application/octet-stream");
    Ok(response.body(BodyStream::new(Box::pin(pieces(contents, room)))))
}

/// Unpack an archive. Needs the scope `sessions`.
pub(in crate::http::rest) async fn put(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    query: ByteQuery,
    id: Path<String>,
    body: StreamedBody,
) -> Result<HttpResponse, Failure> {
    let mut parameters = query.parameters()?;
    let path = parameters.path("path");
    parameters.finish()?;
    let asker = Asker::of(&id, caller, request_id)?;
    let (pieces, _kept) = body.pieces(Receiving::PIECE);
    let receiving = state.files.receive_archive(asker.asked(), path.as_ref()).await;
    match send(receiving, pieces).await? {
        Sent::Archive(unpacked) => Ok(HttpResponse::Ok().json(UnpackedAnswer::of(unpacked))),
        Sent::File(_) => Err(Error::Fault("an archive that was received as a file").into()),
    }
}
