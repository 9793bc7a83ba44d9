//! Sessions.

use actix_web::http::StatusCode as S;

use super::{delete, get, page, patch, post};
use crate::domain::scope::Access::Needs;
use crate::domain::scope::Scope::{Read, Sessions};
use crate::http::failure::Code as C;
use crate::http::rest::endpoint::{Content, Endpoint, OF_KEYS, Tag, Takes};
use crate::http::rest::fields::page::PageAnswer;
use crate::http::rest::schemas::{idempotency_key, schema};
use crate::http::rest::{contexts, sessions};

/// What can come of asking for something in a session that may have ended.
pub(super) const GONE: [C; 4] =
    [C::SessionNotFound, C::SessionExpired, C::SessionLost, C::WorkerUnavailable];

pub(super) fn rows() -> Vec<Endpoint> {
    use contexts::json::{ContextsAnswer, InterruptAnswer};
    use sessions::json::{ExtendBody, SessionAnswer, SessionBody, SessionEnded, SessionPatch};
    use sessions::verbs;
    const ALL: &str = "/v1/code_interpreter/sessions";
    const ONE: &str = "/v1/code_interpreter/sessions/{id}";
    const EXTEND: &str = "/v1/code_interpreter/sessions/{id}/extend";
    const PAUSE: &str = "/v1/code_interpreter/sessions/{id}/pause";
    const RESUME: &str = "/v1/code_interpreter/sessions/{id}/resume";
    const INTERRUPT: &str = "/v1/code_interpreter/sessions/{id}/interrupt";
    const RESTART: &str = "/v1/code_interpreter/sessions/{id}/restart";
    let session = Content::Json(schema::<SessionAnswer>);
    vec![
        post(ALL, Needs(Sessions), Tag::Sessions, "create_session", "Make a session")
            .more("A sandbox whose state lives on between runs.")
            .with(idempotency_key)
            .takes(Takes::Json(schema::<SessionBody>))
            .gives(S::CREATED, "The session", session)
            .fails(&OF_KEYS)
            .fails(&[
                C::LanguageUnavailable,
                C::TooManySessions,
                C::TooManyRunsWaiting,
                C::ShareFull,
            ])
            .fails(&[C::WorkerFull, C::WorkerUnavailable])
            .fails(&[C::NetworkRefused, C::NetworkUnavailable])
            .to(sessions::create),
        get(ALL, Needs(Read), Tag::Sessions, "list_sessions", "Your sessions")
            .more("Newest first. With a filter a page may be short though another one follows.")
            .with(|| page("ses"))
            .with(sessions::query::parameters)
            .gives(S::OK, "A page", Content::Json(schema::<PageAnswer<SessionAnswer>>))
            .fails(&[C::ValidationFailed, C::WorkerUnavailable])
            .to(sessions::list),
        get(ONE, Needs(Read), Tag::Sessions, "get_session", "One of your sessions")
            .gives(S::OK, "The session", session)
            .fails(&[C::SessionNotFound, C::WorkerUnavailable])
            .to(sessions::get),
        patch(ONE, Needs(Sessions), Tag::Sessions, "update_session", "Give a session another note")
            .takes(Takes::Json(schema::<SessionPatch>))
            .gives(S::OK, "The session", session)
            .fails(&[C::SessionNotFound, C::WorkerUnavailable])
            .to(sessions::update),
        post(EXTEND, Needs(Sessions), Tag::Sessions, "extend_session", "Move the end of a session")
            .takes(Takes::Json(schema::<ExtendBody>))
            .gives(S::OK, "The session", session)
            .fails(&GONE)
            .to(verbs::extend),
        post(PAUSE, Needs(Sessions), Tag::Sessions, "pause_session", "Pause a session")
            .more(
                "Everything in it stands still and takes no processor time; memory and files stay. Its time to live \
                 goes on. It is resumed when it is used, unless it was made with `auto_resume: false`.",
            )
            .gives(S::OK, "The session", session)
            .fails(&GONE)
            .fails(&[C::SessionBusy])
            .to(verbs::pause),
        post(RESUME, Needs(Sessions), Tag::Sessions, "resume_session", "Resume a paused session")
            .gives(S::OK, "The session", session)
            .fails(&GONE)
            .fails(&[C::ShareFull, C::WorkerFull])
            .to(verbs::resume),
        post(INTERRUPT, Needs(Sessions), Tag::Sessions, "interrupt_session", "Interrupt all contexts")
            .more(
                "As a keyboard would: what runs stops, and what it has defined stays where the language lets it. \
                 Where nothing runs, nothing is done.",
            )
            .gives(S::OK, "Whether something ran", Content::Json(schema::<InterruptAnswer>))
            .fails(&GONE)
            .to(verbs::interrupt),
        post(RESTART, Needs(Sessions), Tag::Sessions, "restart_session", "Restart all contexts")
            .more("What runs in them is ended, what was defined is gone; files and processes stay.")
            .gives(S::OK, "The contexts", Content::Json(schema::<ContextsAnswer>))
            .fails(&GONE)
            .to(verbs::restart),
        delete(ONE, Needs(Sessions), Tag::Sessions, "end_session", "End a session")
            .more("A second time it is not found.")
            .gives(S::OK, "It has ended", Content::Json(schema::<SessionEnded>))
            .fails(&[C::SessionNotFound, C::WorkerUnavailable])
            .to(sessions::delete),
    ]
}
