//! Strings that are one of a few words, as schemas.

use utoipa::openapi::schema::{ArrayBuilder, Object, ObjectBuilder, Type};

use crate::domain::artifact::{Change, OmittedReason};
use crate::domain::context::ContextState;
use crate::domain::execution::ExecutionState;
use crate::domain::network::ConnectionVerdict;
use crate::domain::process::{ProcessStatus, SIGNALS};
use crate::domain::report::Status;
use crate::domain::scope::Scope;
use crate::domain::session::SessionStatus;

/// One of `words`.
fn one_of(about: &str, words: impl IntoIterator<Item = &'static str>) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(about))
        .enum_values(Some(words))
        .build()
}

/// How a run ended.
pub fn run_status() -> Object {
    one_of("How it ended.", Status::ALL.map(Status::name))
}

/// How far a run got, or how it ended.
pub fn execution_status() -> Object {
    let others = [ExecutionState::Queued, ExecutionState::Running, ExecutionState::Unknown];
    one_of(
        "How it ended; `queued` and `running` before that, and `unknown` when the worker or the \
         gateway was lost before the end.",
        Status::ALL.map(Status::name).into_iter().chain(others.iter().map(ExecutionState::name)),
    )
}

/// How a process is.
pub fn process_status() -> Object {
    one_of("How it is, or how it ended.", ProcessStatus::ALL.map(ProcessStatus::name))
}

/// A signal.
pub fn signal() -> Object {
    one_of("Its name.", SIGNALS)
}

/// How a session is.
pub fn session_status() -> Object {
    one_of("How it is.", SessionStatus::ALL.map(SessionStatus::name))
}

/// Whether programs may reach anything.
pub fn network_mode() -> Object {
    one_of(
        "`none`: nothing, whatever the lists say; `allow`: what `allow` lists.",
        ["none", "allow"],
    )
}

/// What became of a connection.
pub fn connection_verdict() -> Object {
    one_of("What became of it.", ConnectionVerdict::ALL.map(ConnectionVerdict::name))
}

/// How a context is.
pub fn context_state() -> Object {
    one_of(
        "How it is: `new` (the next run starts its interpreter), `idle`, `busy`, or `lost` (its \
         interpreter has ended by itself; the next run starts another one, and says so).",
        ContextState::ALL.map(ContextState::name),
    )
}

/// What credentials allow.
pub fn scopes() -> ArrayBuilder {
    let scope = one_of("One right.", Scope::ALL.map(Scope::name));
    ArrayBuilder::new()
        .items(scope)
        .min_items(Some(1))
        .max_items(Some(Scope::ALL.len()))
        .unique_items(true)
        .description(Some(
            "What it allows: run (run code, cancel runs), sessions (make, change and end sessions and their contexts), read \
             (look at executions and sessions), keys (make, list and delete API keys), admin (manage \
             users). A new key has run, sessions and read unless others are asked for.",
        ))
}

/// The isolation in force.
pub fn isolation() -> Object {
    one_of("The isolation in force.", ["full", "degraded"])
}

/// How a layer of isolation is.
pub fn wall_state() -> Object {
    one_of("How it is.", ["enforced", "best_effort", "missing"])
}

/// How what was consumed was counted.
pub fn accounting() -> Object {
    one_of(
        "Who counted: the kernel (enforced), or we did (best_effort).",
        ["enforced", "best_effort"],
    )
}

/// Whether bytes were text.
pub fn encoding() -> Object {
    one_of("`replaced`: bytes that were no text stand as U+FFFD.", ["utf-8", "replaced"])
}

/// What kind of thing went wrong.
pub fn diagnostic_kind() -> Object {
    let kinds = ["exception", "syntax", "compile", "limit", "signal", "exit"];
    one_of("What kind of thing went wrong.", kinds)
}

/// Why a file cannot be fetched.
pub fn omitted_reason() -> Object {
    one_of("Why it cannot be fetched.", OmittedReason::ALL.map(OmittedReason::name))
}

/// What was done to a file.
pub fn file_change() -> Object {
    one_of("What was done to it.", Change::ALL.map(Change::name))
}

/// How the service is.
pub fn health() -> Object {
    one_of("`unhealthy` when the database or the worker is down.", ["healthy", "unhealthy"])
}

/// Whether a part of the service is there.
pub fn up_or_down() -> Object {
    one_of("Whether it is there.", ["up", "down"])
}

/// What a probe is told.
pub fn probe() -> Object {
    one_of("What a probe is told.", ["ok", "not_ready"])
}

/// The kind of an access token.
pub fn token_type() -> Object {
    one_of("How it is sent.", ["bearer"])
}

/// The kind of sign-in.
pub fn grant_type() -> Object {
    one_of("`password`, if given at all.", ["password"])
}
