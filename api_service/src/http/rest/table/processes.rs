//! Commands in sessions.

use actix_web::http::StatusCode as S;
use utoipa::IntoParams;
use utoipa::openapi::path::ParameterIn;

use super::{delete, get, post};
use crate::domain::scope::Access::{Needs, Public};
use crate::domain::scope::Scope::{Read, Run};
use crate::http::failure::Code as C;
use crate::http::rest::endpoint::{Content, Endpoint, OF_KEYS, Tag, Takes};
use crate::http::rest::executions::events::EventsQuery;
use crate::http::rest::executions::input::{InputAnswer, InputBody};
use crate::http::rest::processes;
use crate::http::rest::schemas::{idempotency_key, last_event_id, schema};

/// What any question about a session's processes can meet.
const OF_SESSIONS: [C; 4] =
    [C::SessionNotFound, C::SessionExpired, C::SessionLost, C::WorkerUnavailable];

pub(super) fn rows() -> Vec<Endpoint> {
    use processes::control::SignalBody;
    use processes::json::{ProcessAnswer, ProcessResult, ProcessesAnswer};
    use processes::start_json::{ProcessBody, SizeBody};
    const ALL: &str = "/v1/code_interpreter/sessions/{id}/processes";
    const ONE: &str = "/v1/code_interpreter/sessions/{id}/processes/{pid}";
    let process = Content::Json(schema::<ProcessAnswer>);
    vec![
        post(ALL, Needs(Run), Tag::Processes, "start_process", "Start a command")
            .more(
                "Waits for its end, which is an outcome whatever it is. With `Accept: \
                 text/event-stream` it is told as it happens: `started`, `stdout`, `stderr`, `gap`, \
                 and exactly one `finished`. With `background` it is answered at once. It goes on \
                 whatever becomes of its caller: only its time limit, a signal, DELETE or the end \
                 of its session end it.",
            )
            .with(idempotency_key)
            .takes(Takes::Json(schema::<ProcessBody>))
            .gives(S::OK, "What it did", Content::JsonOrEvents(schema::<ProcessResult>))
            .gives(S::CREATED, "It runs in the background", process)
            .fails(&OF_KEYS)
            .fails(&OF_SESSIONS)
            .fails(&[C::NotExecutable, C::TooManyProcesses, C::StdinFull, C::ShareFull])
            .fails(&[C::ProcessNotFound, C::WorkerFull, C::AnswersFull])
            .to(processes::start::start),
        get(ALL, Needs(Read), Tag::Processes, "list_processes", "Processes of a session")
            .more("Those that have ended lately, oldest first, and those that run.")
            .gives(S::OK, "All of them", Content::Json(schema::<ProcessesAnswer>))
            .fails(&OF_SESSIONS)
            .to(processes::list),
        get(ONE, Needs(Read), Tag::Processes, "get_process", "A process of a session")
            .gives(S::OK, "The process", process)
            .fails(&OF_SESSIONS)
            .fails(&[C::ProcessNotFound])
            .to(processes::get),
        delete(ONE, Needs(Run), Tag::Processes, "kill_process", "Kill a process")
            .more("With all that came of it. Of one that has ended it changes nothing.")
            .gives(S::OK, "How it ended", process)
            .fails(&OF_SESSIONS)
            .fails(&[C::ProcessNotFound])
            .to(processes::delete),
        get(
            "/v1/code_interpreter/sessions/{id}/processes/{pid}/events",
            Needs(Read),
            Tag::Processes,
            "get_process_events",
            "What happens to a process",
        )
        .more(
            "From its beginning, or after the event that `Last-Event-ID` or `after` names, while \
             it runs and for five minutes after its end. Events that are not kept any more are one \
             `gap` with the numbers of the first and the last. 204: you have all of them.",
        )
        .with(|| EventsQuery::into_params(|| Some(ParameterIn::Query)))
        .with(last_event_id)
        .gives(S::OK, "Events", Content::Events)
        .gives(S::NO_CONTENT, "There are no more", Content::Nothing)
        .fails(&OF_SESSIONS)
        .fails(&[C::ProcessNotFound, C::ValidationFailed])
        .to(processes::events::get),
        post(
            "/v1/code_interpreter/sessions/{id}/processes/{pid}/stdin",
            Needs(Run),
            Tag::Processes,
            "write_process_stdin",
            "Write to a process's standard input or terminal",
        )
        .takes(Takes::Json(schema::<InputBody>))
        .gives(S::OK, "It was taken", Content::Json(schema::<InputAnswer>))
        .fails(&OF_SESSIONS)
        .fails(&[C::ProcessNotFound, C::StdinClosed, C::StdinFull, C::ShareFull, C::WorkerFull])
        .to(processes::control::write),
        post(
            "/v1/code_interpreter/sessions/{id}/processes/{pid}/signal",
            Needs(Run),
            Tag::Processes,
            "signal_process",
            "Send a process and its group a signal",
        )
        .takes(Takes::Json(schema::<SignalBody>))
        .gives(S::NO_CONTENT, "It was sent", Content::Nothing)
        .fails(&OF_SESSIONS)
        .fails(&[C::ProcessNotFound, C::ProcessEnded, C::ShareFull, C::WorkerFull])
        .to(processes::control::signal),
        post(
            "/v1/code_interpreter/sessions/{id}/processes/{pid}/resize",
            Needs(Run),
            Tag::Processes,
            "resize_terminal",
            "Give a process's terminal another size",
        )
        .takes(Takes::Json(schema::<SizeBody>))
        .gives(S::NO_CONTENT, "It has that size", Content::Nothing)
        .fails(&OF_SESSIONS)
        .fails(&[C::ProcessNotFound, C::ProcessEnded, C::NoTerminal])
        .to(processes::control::resize),
    ]
}

/// The terminal: a WebSocket, which asks for a credential by itself.
pub(super) fn terminal() -> Endpoint {
    use processes::tty::{self, TtyQuery};
    get(
        "/v1/code_interpreter/sessions/{id}/processes/{pid}/tty",
        Public,
        Tag::Processes,
        "attach_terminal",
        "Attach to a process's terminal",
    )
    .more(
        "A WebSocket of the subprotocol `crucible.tty.v1`: binary frames are bytes both ways. \
         Text frames to us: `{\"resize\": {\"cols\", \"rows\"}}` and `{\"ack\": n}`, where n is \
         the number of bytes of its whole output that you have taken; the terminal is not read \
         while 128 KiB are not acknowledged. From us: `{\"attached\": {\"offset\", \"gap\"}}` \
         first, `{\"exit\": {…}}` last. It needs a credential of the scope `run`, in a header like \
         any other request or in its first frame, `{\"op\": \"auth\", \"token\": \"…\"}`, within \
         5 seconds. `Origin`, if there is one, must be one of `CORS_ORIGINS`. Who attaches takes over from whoever \
         was attached.",
    )
    .with(|| TtyQuery::into_params(|| Some(ParameterIn::Query)))
    .gives(S::SWITCHING_PROTOCOLS, "The terminal", Content::Nothing)
    .fails(&OF_SESSIONS)
    .fails(&[C::ProcessNotFound, C::NoTerminal, C::OriginRefused, C::UpgradeNeeded])
    .fails(&[C::NotAuthenticated, C::SeveralCredentials, C::CredentialInvalid])
    .fails(&[C::CredentialExpired, C::ScopeMissing, C::ValidationFailed])
    .to(tty::open)
}
