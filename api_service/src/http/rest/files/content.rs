//! `…/files/{path}`: what is in a file, as it is.

use actix_web::HttpResponse;
use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data, Path};
use futures::stream;

use super::json::WrittenAnswer;
use super::{Asker, headers};
use crate::domain::files::NewFile;
use crate::http::extract::{
    AnswerRoom, ByteQuery, Conditions, CurrentCaller, PathInUrl, Pieces, RangeOfVersion, RequestId,
    StreamedBody,
};
use crate::http::failure::Failure;
use crate::http::rest::response_body;
use crate::services::Error;
use crate::services::files::{Contents, Receiving, Sent, Wanted};
use crate::state::AppState;

/// Memory that one download takes, of which its caller has not read anything.
pub(super) const IN_MEMORY: usize = 768 << 10;

/// All of a file, or a range of its bytes. Needs the scope `read`.
pub(in crate::http::rest) async fn get(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    (Conditions(condition), RangeOfVersion { range, of: range_of }): (Conditions, RangeOfVersion),
    room: AnswerRoom,
    PathInUrl(path): PathInUrl,
    id: Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let asker = Asker::of(&id.0, caller, request_id)?;
    let wanted = Wanted { condition, range, range_of };
    let found = state.files.open(asker.asked(), &path, &wanted).await?;
    if found.not_modified {
        let mut response = HttpResponse::NotModified();
        headers::version(&mut response, &found.info);
        return Ok(response.finish());
    }
    let (mut response, length) = response_body::bytes(found.part, found.info.size);
    headers::version(&mut response, &found.info);
    headers::attachment(&mut response, path.name());
    room.enter(usize::try_from(length).unwrap_or(IN_MEMORY).min(IN_MEMORY)).await;
    let pieces = pieces(Contents::of(found), room);
    Ok(response.body(SizedStream::new(length, Box::pin(pieces))))
}

/// Contents as they come. An answer that breaks off is seen as such: its length was told, or its end is missing.
pub(super) fn pieces(
    contents: Contents,
    room: AnswerRoom,
) -> impl futures::Stream<Item = Result<Bytes, Error>> {
    stream::try_unfold((contents, room), |(mut contents, room)| async {
        let next = contents.next().await.inspect_err(|error| {
            tracing::warn!(%error, "a file broke off");
        })?;
        Ok(next.map(|piece| (piece, (contents, room))))
    })
}

/// Write a file, whole and at once. Needs the scope `sessions`.
pub(in crate::http::rest) async fn put(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    (Conditions(condition), PathInUrl(path)): (Conditions, PathInUrl),
    query: ByteQuery,
    id: Path<(String, String)>,
    body: StreamedBody,
) -> Result<HttpResponse, Failure> {
    let mut parameters = query.parameters()?;
    let append = parameters.flag("append", false);
    let parents = parameters.flag("mkdirs", true);
    parameters.finish()?;
    let asker = Asker::of(&id.0, caller, request_id)?;
    let new = NewFile { path, parents, append, condition, size: body.announced };
    let (pieces, _kept) = body.pieces(Receiving::PIECE);
    let receiving = state.files.receive(asker.asked(), &new).await;
    let Sent::File(written) = send(receiving, pieces).await? else {
        return Err(Error::Fault("a file that was received as something else").into());
    };
    let status = if written.created { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = HttpResponse::build(status);
    headers::version(&mut response, &written.info);
    Ok(response.json(WrittenAnswer::of(&new.path, &written)))
}

/// Sends a body on. What breaks off is dropped with what was received of it.
pub(super) async fn send(
    receiving: Result<Receiving, Error>,
    mut pieces: Pieces,
) -> Result<Sent, Failure> {
    let sending = async {
        let mut receiving = receiving?;
        while let Some(piece) = pieces.next().await? {
            receiving.send(piece).await?;
        }
        Ok(receiving.finish().await?)
    };
    let sent = sending.await;
    if sent.is_err() {
        pieces.discard().await;
    }
    sent
}
