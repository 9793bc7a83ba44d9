//! `GET /v1/code_interpreter/executions/{id}/output/{stream}`.

use actix_web::HttpResponse;
use actix_web::body::SizedStream;
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::{Bytes, Data, Path};
use futures::stream;

use crate::domain::event::OutputStream;
use crate::domain::ids::ExecutionId;
use crate::http::extract::{AnswerRoom, CurrentCaller, OptionalRange, RequestId};
use crate::http::failure::Failure;
use crate::http::rest::response_body;
use crate::services::Error;
use crate::services::executions::{Output, OutputBytes};
use crate::state::AppState;

/// True when all that was written can be had; its first part is what is there otherwise.
const COMPLETE: &str = "Output-Complete";
/// Most of it that waits in memory for a caller who does not read: a message of the worker, what the server has copied of
/// it, and what the kernel has to send.
const IN_MEMORY: usize = 2 << 20;
/// How many bytes were written.
const TOTAL: &str = "Output-Total-Bytes";

/// All that one of your runs wrote to `stdout` or `stderr`, byte by byte as it was written: nothing
/// is cut out and nothing replaced. Output that is longer than an answer, or no UTF-8, is kept for a
/// while only; `full_output` in the answer of the run says until when. A single range of bytes can be
/// asked for. Needs the scope `read`.
pub(in crate::http::rest) async fn get(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    OptionalRange(range): OptionalRange,
    RequestId(request_id): RequestId,
    room: AnswerRoom,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let (id, stream) = path.into_inner();
    let id = ExecutionId::parse(&id).ok_or(Error::ExecutionNotFound)?;
    let stream = OutputStream::parse(&stream).ok_or(Failure::NoSuchRoute)?;
    let found = state.executions.output(&caller.user, &id, stream, range, &request_id).await?;
    let Output { available, total, part, bytes } = found;
    let (mut response, length) = response_body::bytes(part, available);
    let name = format!("attachment; filename=\"{id}.{}\"", stream.name());
    response
        .insert_header((CONTENT_DISPOSITION, name))
        .insert_header((COMPLETE, if available == total { "true" } else { "false" }))
        .insert_header((TOTAL, total));
    Ok(response.body(SizedStream::new(length, Box::pin(pieces(bytes, room).await))))
}

/// One piece at a time: the next is asked for when the caller has taken this one. An answer that breaks off is seen as
/// such, since its length was told. It has `room` until it has been sent, or its caller is gone.
pub(super) async fn pieces(
    bytes: OutputBytes,
    room: AnswerRoom,
) -> impl futures::Stream<Item = Result<Bytes, Error>> {
    room.enter(IN_MEMORY).await;
    stream::try_unfold((bytes, room), |(mut bytes, room)| async {
        let next = bytes.next().await.inspect_err(|error| {
            tracing::warn!(%error, "an output broke off");
        })?;
        Ok(next.map(|piece| (Bytes::from(piece), (bytes, room))))
    })
}
