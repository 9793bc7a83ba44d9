//! Runs of code.

use actix_web::http::StatusCode as S;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use super::{get, post};
use crate::domain::scope::Access::Needs;
use crate::domain::scope::Scope::{Read, Run};
use crate::http::failure::Code as C;
use crate::http::rest::endpoint::{Content, Endpoint, OF_KEYS, Tag, Takes};
use crate::http::rest::executions;
use crate::http::rest::executions::list_query::ListQuery;
use crate::http::rest::fields::page::PageAnswer;
use crate::http::rest::schemas::{id_of, idempotency_key, last_event_id, prefer, range, schema};

/// Which page of which runs.
fn list() -> Vec<Parameter> {
    let mut parameters = ListQuery::into_params(|| Some(ParameterIn::Query));
    for parameter in parameters.iter_mut().filter(|parameter| parameter.name == "cursor") {
        parameter.schema = Some(id_of("exe").into());
    }
    parameters
}

pub(super) fn rows() -> Vec<Endpoint> {
    use executions::detached::DetachedAnswer;
    use executions::events::EventsQuery;
    use executions::input::{InputAnswer, InputBody};
    use executions::json::{CancelAnswer, ExecutionAnswer, ExecutionSummary};
    use executions::run_answer::AnyRunAnswer;
    use executions::run_json::RunBody;
    let page_of = Content::Json(schema::<PageAnswer<ExecutionSummary>>);
    vec![
        post("/v1/code_interpreter/run", Needs(Run), Tag::Run, "run_code", "Run code")
            .more(
                "Waits for its end. A program that fails is an outcome, not an error: the answer \
                 is 200, and `status` says how it ended. With `Accept: text/event-stream` it is \
                 told as it happens: `started`, `stdout`, `stderr`, `result`, `usage`, and exactly \
                 one `finished`, whose data is the whole answer, or `problem`. With `detached`, or \
                 `Prefer: respond-async`, it goes on without its caller.",
            )
            .with(idempotency_key)
            .with(prefer)
            .takes(Takes::Json(schema::<RunBody>))
            .gives(S::OK, "What it did", Content::JsonOrEvents(schema::<AnyRunAnswer>))
            .gives(S::ACCEPTED, "It goes on", Content::Json(schema::<DetachedAnswer>))
            .fails(&OF_KEYS)
            .fails(&[C::SessionNotFound, C::SessionExpired, C::SessionLost, C::TooManyRunsWaiting])
            .fails(&[C::ShareFull])
            .fails(&[C::LanguageMismatch, C::LanguageUnavailable, C::WorkerFull])
            .fails(&[C::ContextNotFound, C::SessionPaused, C::SessionFull])
            .fails(&[C::WorkerUnavailable, C::ExecutionUnknown, C::DatabaseBehind])
            .fails(&[C::ExecutionCancelled, C::GatewayStopping, C::AnswersFull])
            .fails(&[C::WebhookRefused, C::NetworkRefused, C::NetworkUnavailable])
            .to(executions::run::run),
        get(
            "/v1/code_interpreter/executions",
            Needs(Read),
            Tag::Run,
            "list_executions",
            "Your runs",
        )
        .more("Newest first.")
        .with(list)
        .gives(S::OK, "A page", page_of)
        .fails(&[C::ValidationFailed])
        .to(executions::list),
        get(
            "/v1/code_interpreter/executions/{id}",
            Needs(Read),
            Tag::Run,
            "get_execution",
            "A run",
        )
        .more("With everything that its answer held.")
        .gives(S::OK, "The run", Content::Json(schema::<ExecutionAnswer>))
        .fails(&[C::ExecutionNotFound, C::AnswersFull])
        .to(executions::get),
        get(
            "/v1/code_interpreter/executions/{id}/output/{stream}",
            Needs(Read),
            Tag::Run,
            "get_output",
            "All that a run wrote",
        )
        .more(
            "Byte by byte as it was written: nothing is cut out and nothing replaced. Output \
             that is longer than an answer, or no UTF-8, is kept for a while only; `full_output` \
             in the answer of the run says until when.",
        )
        .with(range)
        .gives(S::OK, "All of it", Content::Output)
        .gives(S::PARTIAL_CONTENT, "The range", Content::Output)
        .fails(&[C::NotFound, C::ExecutionNotFound, C::OutputNotKept, C::ExecutionRunning])
        .fails(&[C::OutputExpired, C::OutputGone, C::RangeNotSatisfiable, C::WorkerUnavailable])
        .fails(&[C::AnswersFull])
        .to(executions::output::get),
        get(
            "/v1/code_interpreter/executions/{id}/events",
            Needs(Read),
            Tag::Run,
            "get_events",
            "What happens in a run",
        )
        .more(
            "The events of a run from its beginning, or after the one that `Last-Event-ID` or \
             `after` names, while it goes on and for two minutes after its end. Events that are \
             not there any more are one `gap` with the numbers of the first and the last. 204: you \
             have all of them.",
        )
        .with(|| EventsQuery::into_params(|| Some(ParameterIn::Query)))
        .with(last_event_id)
        .gives(S::OK, "Events", Content::Events)
        .gives(S::NO_CONTENT, "There are no more", Content::Nothing)
        .fails(&[C::ExecutionNotFound, C::ExecutionElsewhere, C::ValidationFailed])
        .fails(&[C::AnswersFull])
        .to(executions::events::get),
        post(
            "/v1/code_interpreter/executions/{id}/stdin",
            Needs(Run),
            Tag::Run,
            "write_stdin",
            "Write to a run's standard input",
        )
        .more("It was started with `\"stdin\": {\"open\": true}`.")
        .takes(Takes::Json(schema::<InputBody>))
        .gives(S::OK, "It was taken", Content::Json(schema::<InputAnswer>))
        .fails(&[C::ExecutionNotFound, C::ExecutionNotRunning, C::StdinClosed, C::StdinFull])
        .fails(&[C::WorkerUnavailable])
        .to(executions::input::write),
        get(
            "/v1/code_interpreter/executions/{id}/artifacts/{path}",
            Needs(Read),
            Tag::Run,
            "get_artifact",
            "A file that a run has left",
        )
        .more(
            "One that `collect` asked for, or a large result. It is kept for a while only; `until` \
             in the answer of the run says how long.",
        )
        .with(range)
        .gives(S::OK, "All of it", Content::File)
        .gives(S::PARTIAL_CONTENT, "The range", Content::File)
        .fails(&[C::NotFound, C::ExecutionNotFound, C::ArtifactNotFound, C::ExecutionRunning])
        .fails(&[C::OutputExpired, C::OutputGone, C::RangeNotSatisfiable, C::WorkerUnavailable])
        .fails(&[C::AnswersFull])
        .to(executions::artifact::get),
        post(
            "/v1/code_interpreter/executions/{id}/cancel",
            Needs(Run),
            Tag::Run,
            "cancel_execution",
            "End a run early",
        )
        .more(
            "Whoever waits for it gets its answer, with what it had written. A second time \
             changes nothing.",
        )
        .gives(S::OK, "It was asked to end", Content::Json(schema::<CancelAnswer>))
        .fails(&[C::ExecutionNotFound, C::ExecutionNotRunning, C::ExecutionElsewhere])
        .fails(&[C::WorkerUnavailable])
        .to(executions::cancel),
    ]
}
