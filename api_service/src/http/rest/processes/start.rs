//! `POST …/sessions/{id}/processes`.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data, Path};

use super::caller;
use super::json::{ProcessAnswer, ProcessResult};
use super::start_json::ProcessBody;
use super::telling;
use crate::domain::event::OutputStream;
use crate::domain::field_error::FieldError;
use crate::domain::ids::SessionId;
use crate::domain::process::{NewProcess, Process, ProcessEvent};
use crate::domain::process_output::ProcessOutput;
use crate::http::extract::{AnswerRoom, CurrentCaller, Json, OptionalKey, RequestId, Wanted};
use crate::http::failure::Failure;
use crate::http::rest::idempotent::{idempotent, reservation};
use crate::http::rest::response_body;
use crate::services::Error;
use crate::services::processes::{ProcessCaller, ProcessFollowed, ProcessFollower, Processes};
use crate::state::AppState;

/// Start a command. It goes on whatever becomes of its caller. Needs the scope `run`.
pub(in crate::http::rest) async fn start(
    state: Data<AppState>,
    CurrentCaller(who): CurrentCaller,
    OptionalKey(key): OptionalKey,
    RequestId(request_id): RequestId,
    (wanted, room): (Wanted, AnswerRoom),
    session: Path<String>,
    body: Json<ProcessBody>,
) -> Result<HttpResponse, Failure> {
    let caller = caller(&who, &session, request_id)?;
    let new = body.value.parse(&state.rules).map_err(Failure::Invalid)?;
    if wanted == Wanted::EventStream && !new.background {
        if key.is_some() {
            return Err(Failure::Invalid(vec![FieldError::new(
                "Idempotency-Key",
                "events are not kept under a key: start it with \"background\": true, and follow its events",
            )]));
        }
        return streamed(state.processes.clone(), caller, new).await;
    }
    // In another session it is another request.
    let asked = [caller.session.as_str().as_bytes(), b"\n", &body.bytes];
    let reservation = reservation(key, &who, "processes", &asked);
    let (processes, idempotency) = (state.processes.clone(), state.idempotency.clone());
    let own_room = room.clone();
    let (background, keyed) = (new.background, reservation.is_some());
    let status = if background { StatusCode::CREATED } else { StatusCode::OK };
    let doing = async move {
        let work = async {
            let (process, follower) = processes.start(&caller, &new).await?;
            if background {
                let make = move || Ok(ProcessAnswer::of(&caller.session, process));
                return response_body::json(response_body::SHORT, make).await;
            }
            waited_for(process, follower, &caller.session, &own_room).await
        };
        idempotent(&idempotency, reservation, status, work).await
    };
    let answer = if keyed || background {
        // To the end, even when the caller goes away: a repeated request must find the answer.
        let answer = state.background.finish(doing).await;
        answer.ok_or(Error::Fault("a process's starter ended"))??
    } else {
        doing.await?
    };
    Ok(answer.respond_in(room).await)
}

/// The answer of a process that has ended, when it has.
async fn waited_for(
    process: Process,
    mut follower: ProcessFollower,
    session: &SessionId,
    room: &AnswerRoom,
) -> Result<Bytes, Error> {
    let (mut stdout, mut stderr) = (ProcessOutput::default(), ProcessOutput::default());
    let mut end = None;
    while let Some(followed) = follower.next_of_all().await? {
        match followed {
            ProcessFollowed::Gap { .. } | ProcessFollowed::Event(_, ProcessEvent::Started) => {}
            ProcessFollowed::Event(_, ProcessEvent::Output { stream, offset, data }) => {
                match stream {
                    OutputStream::Stdout => stdout.absorb(offset, &data),
                    OutputStream::Stderr => stderr.absorb(offset, &data),
                }
            }
            ProcessFollowed::Event(_, ProcessEvent::Ended(how)) => end = Some(how),
        }
    }
    let end = end.ok_or(Error::Fault("a process without an end"))?;
    let [stdout_bytes, stderr_bytes] = [stdout.total(), stderr.total()];
    let stdin_open = false;
    let process = Process { end: Some(end), stdout_bytes, stderr_bytes, stdin_open, ..process };
    let session = session.clone();
    let length = stdout.length() + stderr.length() + response_body::SHORT;
    room.enter(length).await;
    response_body::json(length, move || Ok(ProcessResult::of(&session, process, stdout, stderr)))
        .await
}

/// Everything that happens, from the start on.
async fn streamed(
    processes: Processes,
    caller: ProcessCaller,
    new: NewProcess,
) -> Result<HttpResponse, Failure> {
    let (process, follower) = processes.start(&caller, &new).await?;
    Ok(telling::respond(follower, process, caller))
}
