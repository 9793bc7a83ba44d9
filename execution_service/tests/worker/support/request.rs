//! Requests, short enough to be read in a test.

use proto::execution_v1::{CreateSessionRequest, ExecuteRequest, Limits, Session};

/// The owner of everything that does not say otherwise.
pub const OWNER: &str = "usr_one";

/// A name that nothing else has.
pub fn unique(prefix: &str) -> String {
    format!("{prefix}_{}", uuid::Uuid::new_v4().simple())
}

pub fn python(code: &str) -> ExecuteRequest {
    run("python", code)
}

pub fn node(code: &str) -> ExecuteRequest {
    run("node", code)
}

pub fn bash(code: &str) -> ExecuteRequest {
    run("bash", code)
}

pub fn c(code: &str) -> ExecuteRequest {
    run("c", code)
}

/// `code` in `session`, in the session's language.
pub fn in_session(session: &Session, code: &str) -> ExecuteRequest {
    ExecuteRequest {
        session_id: session.session_id.clone(),
        ..run(&session.contexts[0].language, code)
    }
}

/// `request`, of another owner.
pub fn of(owner: &str, request: ExecuteRequest) -> ExecuteRequest {
    ExecuteRequest { owner: String::from(owner), ..request }
}

/// `request` with these limits.
pub fn limits(limits: Limits, request: ExecuteRequest) -> ExecuteRequest {
    ExecuteRequest { limits: Some(limits), ..request }
}

pub fn new_session(language: &str) -> CreateSessionRequest {
    CreateSessionRequest {
        session_id: unique("ses"),
        owner: String::from(OWNER),
        language: String::from(language),
        ttl_seconds: 600,
        ..CreateSessionRequest::default()
    }
}

/// `code` in any language.
pub fn run(language: &str, code: &str) -> ExecuteRequest {
    ExecuteRequest {
        execution_id: unique("exe"),
        owner: String::from(OWNER),
        language: String::from(language),
        code: String::from(code),
        ..ExecuteRequest::default()
    }
}
