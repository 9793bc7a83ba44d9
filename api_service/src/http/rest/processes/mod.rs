//! `/v1/code_interpreter/sessions/{id}/processes`.

pub mod control;
pub mod events;
pub mod json;
pub mod start;
pub mod start_json;
mod telling;
pub mod tty;

use actix_web::web::{self, Data, Path};

use self::json::{ProcessAnswer, ProcessesAnswer};
use crate::domain::caller::Caller;
use crate::domain::ids::SessionId;
use crate::domain::process::ProcessId;
use crate::http::extract::{CurrentCaller, RequestId};
use crate::http::failure::Failure;
use crate::services::Error;
use crate::services::processes::ProcessCaller;
use crate::state::AppState;

/// Processes of a session: those that run, and those that have ended lately. Needs the scope `read`.
pub(in crate::http::rest) async fn list(
    state: Data<AppState>,
    CurrentCaller(who): CurrentCaller,
    RequestId(request_id): RequestId,
    session: Path<String>,
) -> Result<web::Json<ProcessesAnswer>, Failure> {
    let caller = caller(&who, &session, request_id)?;
    let listed = state.processes.list(&caller).await?;
    let show = |process| ProcessAnswer::of(&caller.session, process);
    Ok(web::Json(ProcessesAnswer { data: listed.into_iter().map(show).collect() }))
}

/// One of them. Needs the scope `read`.
pub(in crate::http::rest) async fn get(
    state: Data<AppState>,
    CurrentCaller(who): CurrentCaller,
    RequestId(request_id): RequestId,
    path: Path<(String, String)>,
) -> Result<web::Json<ProcessAnswer>, Failure> {
    let (caller, id) = named(&who, &path, request_id)?;
    let process = state.processes.get(&caller, id).await?;
    Ok(web::Json(ProcessAnswer::of(&caller.session, process)))
}

/// Kill one, with all that came of it. Needs the scope `run`.
pub(in crate::http::rest) async fn delete(
    state: Data<AppState>,
    CurrentCaller(who): CurrentCaller,
    RequestId(request_id): RequestId,
    path: Path<(String, String)>,
) -> Result<web::Json<ProcessAnswer>, Failure> {
    let (caller, id) = named(&who, &path, request_id)?;
    let process = state.processes.kill(&caller, id).await?;
    Ok(web::Json(ProcessAnswer::of(&caller.session, process)))
}

/// On whose behalf, in the session that a path names.
fn caller(who: &Caller, session: &str, request_id: String) -> Result<ProcessCaller, Failure> {
    let session = SessionId::parse(session).ok_or(Error::SessionNotFound)?;
    Ok(ProcessCaller { user: who.user.clone(), session, request_id })
}

/// The same, and which process the path names.
fn named(
    who: &Caller,
    (session, process): &(String, String),
    request_id: String,
) -> Result<(ProcessCaller, ProcessId), Failure> {
    let caller = caller(who, session, request_id)?;
    let id = ProcessId::parse(process).ok_or(Error::ProcessNotFound)?;
    Ok((caller, id))
}
