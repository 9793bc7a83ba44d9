//! Sessions.

use actix_web::http::StatusCode as S;

use super::{delete, get, page, post};
use crate::domain::scope::Access::Needs;
use crate::domain::scope::Scope::{Read, Sessions};
use crate::http::failure::Code as C;
use crate::http::rest::endpoint::{Content, Endpoint, OF_KEYS, Tag, Takes};
use crate::http::rest::fields::page::PageAnswer;
use crate::http::rest::schemas::{idempotency_key, schema};
use crate::http::rest::sessions;

pub(super) fn rows() -> Vec<Endpoint> {
    use sessions::json::{SessionAnswer, SessionBody, SessionEnded};
    const ALL: &str = "/v1/code_interpreter/sessions";
    const ONE: &str = "/v1/code_interpreter/sessions/{id}";
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
            .to(sessions::create),
        get(ALL, Needs(Read), Tag::Sessions, "list_sessions", "Your sessions")
            .more("Newest first.")
            .with(|| page("ses"))
            .gives(S::OK, "A page", Content::Json(schema::<PageAnswer<SessionAnswer>>))
            .fails(&[C::ValidationFailed, C::WorkerUnavailable])
            .to(sessions::list),
        get(ONE, Needs(Read), Tag::Sessions, "get_session", "One of your sessions")
            .gives(S::OK, "The session", session)
            .fails(&[C::SessionNotFound, C::WorkerUnavailable])
            .to(sessions::get),
        delete(ONE, Needs(Sessions), Tag::Sessions, "end_session", "End a session")
            .more("A second time it is not found.")
            .gives(S::OK, "It has ended", Content::Json(schema::<SessionEnded>))
            .fails(&[C::SessionNotFound, C::WorkerUnavailable])
            .to(sessions::delete),
    ]
}
