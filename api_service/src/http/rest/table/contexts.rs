//! Contexts of sessions.

use actix_web::http::StatusCode as S;

use super::sessions::GONE;
use super::{delete, get, post};
use crate::domain::scope::Access::Needs;
use crate::domain::scope::Scope::{Read, Sessions};
use crate::http::failure::Code as C;
use crate::http::rest::contexts;
use crate::http::rest::endpoint::{Content, Endpoint, OF_KEYS, Tag, Takes};
use crate::http::rest::schemas::{idempotency_key, schema};

pub(super) fn rows() -> Vec<Endpoint> {
    use contexts::json::{ContextAnswer, ContextBody, ContextsAnswer, InterruptAnswer};
    const ALL: &str = "/v1/code_interpreter/sessions/{id}/contexts";
    const ONE: &str = "/v1/code_interpreter/sessions/{id}/contexts/{context_id}";
    const INTERRUPT: &str = "/v1/code_interpreter/sessions/{id}/contexts/{context_id}/interrupt";
    const RESTART: &str = "/v1/code_interpreter/sessions/{id}/contexts/{context_id}/restart";
    vec![
        post(ALL, Needs(Sessions), Tag::Sessions, "create_context", "Make a context in a session")
            .more(
                "An interpreter with a state of its own, beside the session's default ones. It is started by its \
                 first run.",
            )
            .with(idempotency_key)
            .takes(Takes::Json(schema::<ContextBody>))
            .gives(S::CREATED, "The context", Content::Json(schema::<ContextAnswer>))
            .fails(&OF_KEYS)
            .fails(&GONE)
            .fails(&[C::LanguageUnavailable, C::SessionFull])
            .to(contexts::create),
        get(ALL, Needs(Read), Tag::Sessions, "list_contexts", "The contexts of a session")
            .more("Oldest first.")
            .gives(S::OK, "All of them", Content::Json(schema::<ContextsAnswer>))
            .fails(&GONE)
            .to(contexts::list),
        delete(ONE, Needs(Sessions), Tag::Sessions, "delete_context", "Delete a context")
            .more("What runs in it is ended.")
            .gives(S::NO_CONTENT, "It is gone", Content::Nothing)
            .fails(&GONE)
            .fails(&[C::ContextNotFound])
            .to(contexts::delete),
        post(INTERRUPT, Needs(Sessions), Tag::Sessions, "interrupt_context", "Interrupt a context")
            .more(
                "As a keyboard would: what runs stops, and what it has defined stays where the language lets it. \
                 Where nothing runs, nothing is done.",
            )
            .gives(S::OK, "Whether something ran", Content::Json(schema::<InterruptAnswer>))
            .fails(&GONE)
            .fails(&[C::ContextNotFound])
            .to(contexts::interrupt),
        post(RESTART, Needs(Sessions), Tag::Sessions, "restart_context", "Restart a context")
            .more("What runs in it is ended, what was defined is gone; everything else stays.")
            .gives(S::OK, "The context", Content::Json(schema::<ContextAnswer>))
            .fails(&GONE)
            .fails(&[C::ContextNotFound])
            .to(contexts::restart),
    ]
}
