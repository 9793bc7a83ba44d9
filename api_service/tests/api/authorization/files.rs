//! Files of sessions.

use api_service::domain::scope::{Access, Scope};
use reqwest::Method;
use serde_json::json;

use super::{Row, row};

/// In this order: each finds what those before it have left.
pub(super) fn table() -> Vec<Row> {
    let (read, write) = (Access::Needs(Scope::Read), Access::Needs(Scope::Sessions));
    let any = || Some(json!({"content": "anything"}));
    let place = |from: &str, to: &str| Some(json!({"from": from, "to": to}));
    const ALL: &str = "/v1/code_interpreter/sessions/{id}/files";
    const ONE: &str = "/v1/code_interpreter/sessions/{id}/files/{path}";
    const TAR: &str = "/v1/code_interpreter/sessions/{id}/files.tar";
    const MOVE: &str = "/v1/code_interpreter/sessions/{id}/files:move";
    const COPY: &str = "/v1/code_interpreter/sessions/{id}/files:copy";
    const MKDIR: &str = "/v1/code_interpreter/sessions/{id}/files:mkdir";
    const WATCH: &str = "/v1/code_interpreter/sessions/{id}/files:watch";
    [
        Row { body: any(), ..row(Method::PUT, ONE, write, 201) },
        row(Method::GET, ONE, read, 200),
        row(Method::GET, ALL, read, 200),
        // It is no form, which only its owner is told.
        Row { body: any(), ..row(Method::POST, ALL, write, 415) },
        Row { body: place("made.txt", "copied.txt"), ..row(Method::POST, COPY, write, 200) },
        Row { body: place("copied.txt", "moved.txt"), ..row(Method::POST, MOVE, write, 200) },
        Row { body: Some(json!({"path": "folder"})), ..row(Method::POST, MKDIR, write, 201) },
        row(Method::GET, TAR, read, 200),
        Row { body: any(), ..row(Method::PUT, TAR, write, 200) },
        row(Method::GET, WATCH, read, 200),
        row(Method::DELETE, ONE, write, 204),
    ]
    .map(|row| Row { foreign: Some(404), ..row })
    .into()
}
