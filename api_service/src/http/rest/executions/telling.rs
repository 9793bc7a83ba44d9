//! What happens in an execution, in the words of the API: the same for every way to read it.

use actix_web::web::Bytes;
use serde::Serialize;
use serde_json::json;

use super::report::{ResultBody, UsageBody};
use super::run::answer;
use crate::domain::event::Event;
use crate::domain::ids::{ExecutionId, SessionId};
use crate::domain::language::LanguageName;
use crate::domain::wishes::AnswerForm;
use crate::http::extract::AnswerRoom;
use crate::http::failure::Failure;
use crate::http::failure::problem::Problem;
use crate::services::Error;
use crate::services::executions::{End, Followed};

/// The last event of every execution.
pub(in crate::http::rest) const FINISHED: &str = "finished";
/// Stands for events that made way.
pub(in crate::http::rest) const GAP: &str = "gap";

/// One event, in words.
#[derive(Debug)]
pub(in crate::http::rest) struct Told {
    /// Whoever comes back goes on after this; absent where nobody knows it any more.
    pub(in crate::http::rest) number: Option<u64>,
    pub(in crate::http::rest) name: &'static str,
    /// JSON.
    pub(in crate::http::rest) data: Bytes,
}

/// Tells of one execution.
#[derive(Clone)]
pub(in crate::http::rest) struct Teller {
    pub(in crate::http::rest) id: ExecutionId,
    pub(in crate::http::rest) session: Option<SessionId>,
    pub(in crate::http::rest) language: LanguageName,
    /// How much of the answer the last event has.
    pub(in crate::http::rest) form: AnswerForm,
    /// In which request, for problems.
    pub(in crate::http::rest) request_id: String,
    /// The last answer waits for room.
    pub(in crate::http::rest) room: AnswerRoom,
}

impl Teller {
    /// In words. A fault of ours goes to the log here, once for each reader.
    pub(in crate::http::rest) async fn tell(&self, followed: Followed) -> Told {
        match followed {
            Followed::Event(number, event) => self.event(number, event),
            Followed::Gap { first, last } => gap(first, Some(last)),
            Followed::End(number, end) => {
                let told = self.answer(end).await;
                self.finished(Some(number), told)
            }
        }
    }

    /// The answer of an execution that has ended so.
    pub(in crate::http::rest) async fn answer(&self, end: End) -> Result<Bytes, Error> {
        let Self { id, session, language, form, .. } = self.clone();
        match end {
            End::Finished(report) => answer(form, id, session, language, report, &self.room).await,
            End::Failed(error) => Err(error),
        }
    }

    /// The last event: the whole answer, or the problem that there is instead.
    pub(in crate::http::rest) fn finished(
        &self,
        number: Option<u64>,
        answer: Result<Bytes, impl Into<Failure>>,
    ) -> Told {
        let data = answer.unwrap_or_else(|error| problem(&error.into(), &self.request_id));
        Told { number, name: FINISHED, data }
    }

    fn event(&self, number: u64, event: Event) -> Told {
        let (name, data) = match event {
            Event::Started => {
                let (id, session) = (self.id.as_str(), self.session.as_ref());
                let session = session.map(SessionId::as_str);
                let language = self.language.as_str();
                let data = json!({
                    "execution_id": id, "session_id": session, "language": language,
                });
                ("started", written(&data))
            }
            Event::Output { stream, offset, data } => {
                let text = String::from_utf8_lossy(&data);
                (stream.name(), written(&OutputBody { text: &text, offset }))
            }
            Event::Result(result) => {
                ("result", written(&ResultBody::of(&self.id, (*result).clone())))
            }
            Event::Outcome(outcome) => ("usage", written(&UsageBody::of(outcome.usage))),
        };
        Told { number: Some(number), name, data }
    }
}

/// Some of what a program wrote.
#[derive(Serialize)]
struct OutputBody<'a> {
    /// Whole characters; bytes that are no text stand as U+FFFD.
    text: &'a str,
    /// Position of its first byte in the whole stream.
    offset: u64,
}

/// Events that are not there any more: from `first` to `last`, or to the one before the next.
pub(in crate::http::rest) fn gap(first: u64, last: Option<u64>) -> Told {
    Told { number: last, name: GAP, data: written(&json!({"first": first, "last": last})) }
}

/// What is sent instead of an answer.
pub(in crate::http::rest) fn problem(failure: &Failure, request_id: &str) -> Bytes {
    if let Some(cause) = failure.cause() {
        tracing::warn!(cause, request_id, "a stream tells of a failure");
    }
    written(&json!({"problem": Problem::of(failure, request_id.to_owned())}))
}

fn written(data: &impl Serialize) -> Bytes {
    match serde_json::to_vec(data) {
        Ok(text) => Bytes::from(text),
        // None of these shapes can do that.
        Err(_) => problem(&Failure::from(Error::Fault("an event is not JSON")), ""),
    }
}
