//! `GET /v1/code_interpreter/executions/{id}/output/{stream}`.

use actix_web::HttpResponse;
use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_RANGE};
use actix_web::web::{Bytes, Data, Path};
use futures::stream;

use crate::contract::problem::Problem;
use crate::domain::byte_range::Part;
use crate::domain::event::OutputStream;
use crate::domain::ids::ExecutionId;
use crate::error::ApiError;
use crate::extract::{CurrentCaller, OptionalRange, RequestId};
use crate::services::Error;
use crate::services::executions::{Output, OutputBytes};
use crate::state::AppState;

/// True when all that was written can be had; its first part is what is there otherwise.
const COMPLETE: &str = "Output-Complete";
/// How many bytes were written.
const TOTAL: &str = "Output-Total-Bytes";

/// All that one of your runs wrote to `stdout` or `stderr`, byte by byte as it was written: nothing
/// is cut out and nothing replaced. Output that is longer than an answer, or no UTF-8, is kept for a
/// while only; `full_output` in the answer of the run says until when. A single range of bytes can be
/// asked for. Needs the scope `read`.
#[utoipa::path(
    get, path = "/v1/code_interpreter/executions/{id}/output/{stream}", tag = "run",
    params(
        ("id" = String, Path, description = "of the execution"),
        ("stream" = String, Path, description = "stdout or stderr"),
        ("Range" = Option<String>, Header, description = "bytes=0-99, bytes=100- or bytes=-100")
    ),
    responses(
        (status = 200, description = "all of it", content_type = "application/octet-stream",
            headers(
                ("Output-Complete" = bool, description = "false: only the beginning is kept"),
                ("Output-Total-Bytes" = u64, description = "all that was written")
            )),
        (status = 206, description = "the range", content_type = "application/octet-stream"),
        (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 410, body = Problem), (status = 416, body = Problem),
        (status = 503, body = Problem)
    ),
    security(("bearer" = []), ("api_key" = []))
)]
pub(super) async fn get(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    OptionalRange(range): OptionalRange,
    RequestId(request_id): RequestId,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let (id, stream) = path.into_inner();
    let id = ExecutionId::parse(&id).ok_or(Error::ExecutionNotFound)?;
    let stream = OutputStream::parse(&stream).ok_or(ApiError::NoSuchRoute)?;
    let found = state.executions.output(&caller.user, &id, stream, range, &request_id).await?;
    let Output { available, total, part, bytes } = found;
    let mut response = HttpResponse::build(match part {
        Some(_) => StatusCode::PARTIAL_CONTENT,
        None => StatusCode::OK,
    });
    if let Some(Part { first, length }) = part {
        let last = first + length - 1;
        response.insert_header((CONTENT_RANGE, format!("bytes {first}-{last}/{available}")));
    }
    let name = format!("attachment; filename=\"{id}.{}\"", stream.name());
    response
        .content_type("application/octet-stream")
        .insert_header((CONTENT_DISPOSITION, name))
        .insert_header((ACCEPT_RANGES, "bytes"))
        .insert_header((COMPLETE, if available == total { "true" } else { "false" }))
        .insert_header((TOTAL, total));
    let length = part.map_or(available, |part| part.length);
    Ok(response.body(SizedStream::new(length, Box::pin(pieces(bytes)))))
}

/// One piece at a time: the next is asked for when the caller has taken this one. An answer that
/// breaks off is seen as such, since its length was told.
fn pieces(bytes: OutputBytes) -> impl futures::Stream<Item = Result<Bytes, Error>> {
    stream::try_unfold(bytes, |mut bytes| async {
        let next = bytes.next().await.inspect_err(|error| {
            tracing::warn!(%error, "an output broke off");
        })?;
        Ok(next.map(|piece| (Bytes::from(piece), bytes)))
    })
}
