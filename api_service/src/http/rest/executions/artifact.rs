//! `GET /v1/code_interpreter/executions/{id}/artifacts/{path}`.

use actix_web::body::SizedStream;
use actix_web::http::header::{CONTENT_DISPOSITION, ETAG, HeaderValue};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use super::output::pieces;
use crate::domain::artifact::FilePath;
use crate::domain::ids::ExecutionId;
use crate::http::extract::{AnswerRoom, CurrentCaller, OptionalRange, RequestId};
use crate::http::failure::Failure;
use crate::http::rest::response_body;
use crate::services::Error;
use crate::services::executions::Output;
use crate::state::AppState;

/// A file that one of your runs has left: one that `collect` asked for, or a large result. It is kept for a
/// while only; `until` in the answer of the run says how long. A single range of bytes can be asked for. Needs
/// the scope `read`.
pub(in crate::http::rest) async fn get(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    OptionalRange(range): OptionalRange,
    RequestId(request_id): RequestId,
    room: AnswerRoom,
    path: Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    let (id, _) = path.into_inner();
    let id = ExecutionId::parse(&id).ok_or(Error::ExecutionNotFound)?;
    // As it was sent: a name need not be UTF-8.
    let (_, path) = request.uri().path().split_once("/artifacts/").ok_or(Failure::NoSuchRoute)?;
    let path = FilePath(percent_decode_str(path).collect());
    let found = state.executions.artifact(&caller.user, &id, &path, range, &request_id).await?;
    let Output { available, total: _, part, bytes } = found;
    // Never what it is, which `mime` in the answer says: who made it is not to be trusted with a browser.
    let (mut response, length) = response_body::bytes(part, available);
    response
        .insert_header((CONTENT_DISPOSITION, attachment(&path)?))
        // What a run has left never changes.
        .insert_header((ETAG, format!("\"{id}\"")));
    Ok(response.body(SizedStream::new(length, Box::pin(pieces(bytes, room).await))))
}

/// To be saved under its own name (RFC 6266), and never shown.
fn attachment(FilePath(path): &FilePath) -> Result<HeaderValue, Error> {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let name = percent_encode(name, NON_ALPHANUMERIC);
    HeaderValue::from_str(&format!("attachment; filename*=UTF-8''{name}"))
        .map_err(|_| Error::Fault("a file's name cannot be sent"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{FilePath, attachment};

    proptest! {
        #[test]
        fn any_name_can_be_sent_and_ends_no_header(path in prop::collection::vec(any::<u8>(), 0..60)) {
            let value = attachment(&FilePath(path)).expect("a value");
            let value = value.to_str().expect("plain");
            prop_assert!(value.starts_with("attachment; filename*=UTF-8''"));
            prop_assert!(!value.contains(['"', '\n', '\r']) && value.matches(';').count() == 1);
        }
    }
}
