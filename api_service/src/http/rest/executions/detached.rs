//! Runs that go on without their callers.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue, LOCATION};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::artifact_json::address;
use super::run::Job;
use super::telling::Teller;
use super::webhook::deliver;
use crate::domain::event::OutputStream;
use crate::domain::ids::{ExecutionId, SessionId};
use crate::domain::language::LanguageName;
use crate::domain::model_text::Kept;
use crate::http::extract::RESPOND_ASYNC;
use crate::http::failure::Failure;
use crate::http::rest::fields::words;
use crate::http::rest::idempotent::idempotent;
use crate::http::rest::response_body;
use crate::services::executions::{Detached, Started};
use crate::services::webhooks::{Webhook, Webhooks};

/// Says that a preference was followed.
const APPLIED: &str = "preference-applied";

/// A run that was begun.
#[derive(Debug, Serialize, ToSchema)]
pub struct DetachedAnswer {
    /// For looking at it, and for its events.
    #[schema(example = "exe_019b7f3c2d9a7d3b8a2f1c0e5d4b6a79")]
    pub execution_id: String,
    /// The session it runs in, if in one.
    #[schema(required)]
    pub session_id: Option<String>,
    /// The language's own name.
    #[schema(example = "python")]
    pub language: String,
    /// `running`, also while it waits for its turn.
    #[schema(schema_with = words::execution_status)]
    pub status: &'static str,
    /// Paths of what can be asked about it.
    pub links: LinksBody,
}

/// Paths of what can be asked about a run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "self": "/v1/code_interpreter/executions/exe_…",
    "events": "/v1/code_interpreter/executions/exe_…/events",
    "cancel": "/v1/code_interpreter/executions/exe_…/cancel",
    "output": {
        "stdout": "/v1/code_interpreter/executions/exe_…/output/stdout",
        "stderr": "/v1/code_interpreter/executions/exe_…/output/stderr"
    }
}))]
pub struct LinksBody {
    /// How it is, and when it has ended, what it did.
    #[serde(rename = "self")]
    pub itself: String,
    /// What happens in it, as server-sent events.
    pub events: String,
    /// Ends it early.
    pub cancel: String,
    /// What it wrote, when it has ended.
    pub output: OutputLinksBody,
}

/// Paths of what a run wrote.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutputLinksBody {
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
}

impl DetachedAnswer {
    /// Of a run that goes on.
    pub(super) fn of(
        id: &ExecutionId,
        session: Option<&SessionId>,
        language: &LanguageName,
    ) -> Self {
        let itself = address(id, Kept::Execution);
        let below = |what: &str| format!("{itself}/{what}");
        let all_of = |stream| address(id, Kept::Output(stream));
        Self {
            execution_id: id.to_string(),
            session_id: session.map(ToString::to_string),
            language: language.to_string(),
            status: "running",
            links: LinksBody {
                events: below("events"),
                cancel: below("cancel"),
                output: OutputLinksBody {
                    stdout: all_of(OutputStream::Stdout),
                    stderr: all_of(OutputStream::Stderr),
                },
                itself,
            },
        }
    }
}

impl Job {
    /// Begins it, and answers. It goes on whatever becomes of its caller.
    pub(super) async fn detached(
        self,
        detached: Detached,
        preferred: bool,
        webhook: Option<(Webhooks, Webhook)>,
    ) -> Result<HttpResponse, Failure> {
        let Self { idempotency, user, id, run, request_id, room, reservation, .. } = self;
        let (keeper, keyed) = (idempotency.clone(), reservation.clone());
        let work = async move {
            let work = async move {
                let (session, form) = (run.session.clone(), run.wishes.form);
                let started = detached.start(&user, id, run, &request_id).await?;
                let Started { id, language, follower, unwanted: _ } = started;
                if let Some((webhooks, webhook)) = webhook {
                    let (id, session, language) = (id.clone(), session.clone(), language.clone());
                    let teller = Teller { id, session, language, form, request_id, room };
                    deliver(&webhooks, webhook, follower, teller);
                }
                let make = move || Ok(DetachedAnswer::of(&id, session.as_ref(), &language));
                response_body::json(response_body::SHORT, make).await
            };
            idempotent(&idempotency, reservation, StatusCode::ACCEPTED, work).await
        };
        let answer = match keyed {
            Some(reservation) => keeper.to_the_end(&reservation, work).await??,
            None => work.await?,
        };
        let place = place(answer.body());
        let mut response = HttpResponse::from(answer);
        if let Some(place) = place {
            response.headers_mut().insert(LOCATION, place);
        }
        if preferred {
            let applied = HeaderValue::from_static(RESPOND_ASYNC);
            response.headers_mut().insert(HeaderName::from_static(APPLIED), applied);
        }
        Ok(response)
    }
}

/// Where the run is that an answer tells of, also one that is given again.
fn place(answer: &[u8]) -> Option<HeaderValue> {
    #[derive(Deserialize)]
    struct Links {
        #[serde(rename = "self")]
        itself: String,
    }
    #[derive(Deserialize)]
    struct Begun {
        links: Links,
    }
    let Begun { links } = serde_json::from_slice(answer).ok()?;
    HeaderValue::try_from(links.itself).ok()
}
