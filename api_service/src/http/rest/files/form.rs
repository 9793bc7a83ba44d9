//! `POST …/files`: many files in one form.

use actix_multipart::{Field, MultipartError};
use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use futures::StreamExt;

use super::Asker;
use super::content::send;
use super::json::{ManyAnswer, WrittenAnswer};
use crate::domain::field_error::FieldError;
use crate::domain::files::{Condition, FilePath, NewFile};
use crate::http::extract::{ByteQuery, CurrentCaller, Pieces, RequestId, StreamedBody};
use crate::http::failure::Failure;
use crate::services::Error;
use crate::services::files::{Receiving, Sent};
use crate::state::AppState;

/// Most files in one form.
pub const MAX_PARTS: usize = 1000;
/// What a form has to be.
const MEDIA_TYPE: &str = "multipart/form-data";

/// Write many files, each whole and at once, in the order in which they come. Needs the scope `sessions`.
pub(in crate::http::rest) async fn post(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    query: ByteQuery,
    id: Path<String>,
    body: StreamedBody,
) -> Result<HttpResponse, Failure> {
    let mut parameters = query.parameters()?;
    let directory = parameters.path("path");
    let parents = parameters.flag("mkdirs", true);
    parameters.finish()?;
    let asker = Asker::of(&id, caller, request_id)?;
    // Before anything of the form is looked at: to whom there is no session, there is no form.
    state.files.find(asker.asked()).await?;
    let (mut form, patience, _kept) = body.parts();
    let mut files = Vec::new();
    loop {
        let part = tokio::time::timeout(patience, form.next()).await;
        let part = part.map_err(|_| Failure::BodyTooSlow)?;
        let Some(part) = part.transpose().map_err(|error| refused(&error))? else {
            break;
        };
        if files.len() == MAX_PARTS {
            return Err(wrong(format!("must have at most {MAX_PARTS} files")));
        }
        let path = path_of(&part, directory.as_ref())?;
        let condition = Condition::default();
        let new = NewFile { path, parents, append: false, condition, size: None };
        let receiving = state.files.receive(asker.asked(), &new).await;
        let chunks = part.map(|chunk| chunk.map_err(|error| refused(&error)));
        let pieces = Pieces::new(chunks, Receiving::PIECE, patience);
        let Sent::File(written) = send(receiving, pieces).await? else {
            return Err(Error::Fault("a file that was received as something else").into());
        };
        files.push(WrittenAnswer::of(&new.path, &written));
    }
    if files.is_empty() {
        return Err(wrong("must have at least one file"));
    }
    Ok(HttpResponse::Ok().json(ManyAnswer { files }))
}

/// Where a part goes: by its file name, which may have directories, or else by its own name.
fn path_of(part: &Field, directory: Option<&FilePath>) -> Result<FilePath, Failure> {
    let disposition = part.content_disposition();
    let extended = disposition.and_then(|it| it.get_filename_ext());
    let extended = extended.map(|name| name.value.clone());
    let plain = disposition.and_then(|it| it.get_filename()).or_else(|| part.name());
    let plain = plain.map(Vec::from);
    let name = extended.or(plain).unwrap_or_default();
    FilePath::below(directory, &name).map_err(|why| wrong(format!("a file's name {why}")))
}

fn wrong(why: impl Into<String>) -> Failure {
    Failure::Invalid(vec![FieldError::new("body", why)])
}

fn refused(error: &MultipartError) -> Failure {
    match error {
        MultipartError::ContentTypeMissing
        | MultipartError::ContentTypeParse
        | MultipartError::ContentTypeIncompatible
        | MultipartError::BoundaryMissing => Failure::WrongMediaType(MEDIA_TYPE),
        MultipartError::Incomplete | MultipartError::Payload(_) => Failure::BodyBroken,
        error => wrong(format!("must be a form of files: {error}")),
    }
}
