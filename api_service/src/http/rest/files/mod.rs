//! `/v1/code_interpreter/sessions/{id}/files`: names of files. Contents are in [`content`], archives in [`archive`],
//! changes in [`changes`].

pub mod archive;
pub mod changes;
pub mod content;
mod form;
mod headers;
pub mod json;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data, Path};

pub(in crate::http::rest) use self::form::{MAX_PARTS, post};
use self::json::{ListingAnswer, MadeAnswer, MakeBody, PlaceBody, PlacedAnswer};
use super::response_body;
use crate::domain::caller::Caller;
use crate::domain::files::{DEFAULT_ENTRIES, FileEntry, MAX_DEPTH, MAX_ENTRIES};
use crate::domain::ids::SessionId;
use crate::http::extract::{
    AnswerRoom, ByteQuery, Conditions, CurrentCaller, Json, PathInUrl, RequestId,
};
use crate::http::failure::Failure;
use crate::services::Error;
use crate::services::files::Asked;
use crate::state::AppState;

/// What is asked by whom of which session.
struct Asker {
    caller: Caller,
    session: SessionId,
    request_id: String,
}

impl Asker {
    fn of(id: &str, caller: Caller, request_id: String) -> Result<Self, Failure> {
        let session = SessionId::parse(id).ok_or(Error::SessionNotFound)?;
        Ok(Self { caller, session, request_id })
    }

    fn asked(&self) -> Asked<'_> {
        let Self { caller, session, request_id } = self;
        Asked { user: &caller.user, session, request_id }
    }
}

/// What is below a directory. Needs the scope `read`.
pub(in crate::http::rest) async fn list(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    room: AnswerRoom,
    query: ByteQuery,
    id: Path<String>,
) -> Result<HttpResponse, Failure> {
    let mut parameters = query.parameters()?;
    let path = parameters.path("path");
    let depth = parameters.number("depth", 1, MAX_DEPTH);
    let limit = parameters.number("limit", DEFAULT_ENTRIES, MAX_ENTRIES);
    parameters.finish()?;
    let asker = Asker::of(&id, caller, request_id)?;
    let listing = state.files.list(asker.asked(), path.as_ref(), (depth, limit)).await?;
    // Beside its names an entry takes about so much; a byte of a name that is no text takes three.
    let of_entry = |entry: &FileEntry| {
        let target = entry.target.as_ref().map_or(0, Vec::len);
        320 + 2 * (entry.path.as_bytes().len() + target)
    };
    let length = listing.entries.iter().map(of_entry).sum();
    room.enter(length).await;
    let body: Bytes = response_body::json(length, move || Ok(ListingAnswer::of(listing))).await?;
    let mut response = HttpResponse::Ok();
    response.content_type("application/json");
    Ok(response_body::respond(&mut response, body, Some(room)))
}

/// Remove a file, a link or a directory. Needs the scope `sessions`.
pub(in crate::http::rest) async fn delete(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    Conditions(condition): Conditions,
    PathInUrl(path): PathInUrl,
    query: ByteQuery,
    id: Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let mut parameters = query.parameters()?;
    let whole = parameters.flag("recursive", false);
    parameters.finish()?;
    let asker = Asker::of(&id.0, caller, request_id)?;
    state.files.remove(asker.asked(), &path, whole, &condition).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Give a file, a link or a directory another name. Needs the scope `sessions`.
pub(in crate::http::rest) async fn rename(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    body: Json<PlaceBody>,
    id: Path<String>,
) -> Result<HttpResponse, Failure> {
    let (from, to, placing) = body.value.parse().map_err(Failure::Invalid)?;
    let asker = Asker::of(&id, caller, request_id)?;
    state.files.rename(asker.asked(), (&from, &to), placing).await?;
    Ok(HttpResponse::Ok().json(PlacedAnswer::of(&to, None)))
}

/// Copy a file. Needs the scope `sessions`.
pub(in crate::http::rest) async fn copy(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    body: Json<PlaceBody>,
    id: Path<String>,
) -> Result<HttpResponse, Failure> {
    let (from, to, placing) = body.value.parse().map_err(Failure::Invalid)?;
    let asker = Asker::of(&id, caller, request_id)?;
    let info = state.files.copy(asker.asked(), (&from, &to), placing).await?;
    Ok(HttpResponse::Ok().json(PlacedAnswer::of(&to, Some(&info))))
}

/// Make a directory. Needs the scope `sessions`.
pub(in crate::http::rest) async fn make_directory(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    body: Json<MakeBody>,
    id: Path<String>,
) -> Result<HttpResponse, Failure> {
    let (path, parents) = body.value.parse().map_err(Failure::Invalid)?;
    let asker = Asker::of(&id, caller, request_id)?;
    let created = state.files.make_directory(asker.asked(), &path, parents).await?;
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    Ok(HttpResponse::build(status).json(MadeAnswer::of(&path, created)))
}
