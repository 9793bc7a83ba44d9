//! `GET /v1/code_interpreter/executions/{id}/events`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use futures::{StreamExt, stream};
use serde::Deserialize;
use utoipa::IntoParams;

use super::run::remembered;
use super::streamed::respond;
use super::telling::{Teller, Told, gap};
use crate::domain::execution::Execution;
use crate::domain::field_error::FieldError;
use crate::domain::ids::{ExecutionId, UserId};
use crate::domain::wishes::AnswerForm;
use crate::http::extract::{AnswerRoom, CurrentCaller, LastEventId, QueryParams, RequestId};
use crate::http::failure::Failure;
use crate::http::stream::sse;
use crate::services::Error;
use crate::services::executions::Executions;
use crate::state::AppState;

/// From where on.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// The number of the last event that you have; `Last-Event-ID` counts more.
    #[param(value_type = Option<u64>, minimum = 0)]
    pub after: Option<String>,
}

impl EventsQuery {
    /// The number.
    ///
    /// # Errors
    /// When it is none.
    pub(in crate::http::rest) fn parse(self) -> Result<u64, Failure> {
        let after = self.after.map(|text| text.parse()).transpose();
        let wrong = || FieldError::new("after", "must be a whole number");
        after.map(Option::unwrap_or_default).map_err(|_| Failure::Invalid(vec![wrong()]))
    }
}

/// What happens in one of your runs, while it goes on and for a while after. Needs the scope `read`.
pub(in crate::http::rest) async fn get(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    LastEventId(last): LastEventId,
    QueryParams(query): QueryParams<EventsQuery>,
    room: AnswerRoom,
    id: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = ExecutionId::parse(&id).ok_or(Error::ExecutionNotFound)?;
    let after = query.parse()?;
    let after = last.unwrap_or(after);
    let user = caller.user;
    let Execution { session, language, .. } = state.executions.get(&user, &id).await?;
    let form = AnswerForm::default();
    let teller = Teller { id, session, language, form, request_id, room };
    match state.executions.follow(&user, &teller.id, after).await {
        // Tells those who come back by themselves that there is no more to come for.
        Ok(follower) if follower.has_ended() => Ok(HttpResponse::NoContent().finish()),
        Ok(follower) => Ok(respond(follower, teller, None)),
        Err(Error::ExecutionNotRunning) => {
            let told = ended(&state.executions, &user, &teller, after).await?;
            // The answer has its room until it is sent.
            let events = stream::iter(told.map(sse::Event::from)).inspect(move |_| {
                let _room = &teller.room;
            });
            Ok(sse::respond(events))
        }
        Err(error) => Err(Failure::from(error)),
    }
}

/// What is told of an execution that has ended and whose log is gone.
pub(in crate::http::rest) async fn ended(
    executions: &Executions,
    user: &UserId,
    teller: &Teller,
    after: u64,
) -> Result<[Told; 2], Error> {
    // Now: it may have ended in between.
    let execution = executions.get(user, &teller.id).await?;
    let answer = remembered(teller.form, execution, &teller.room).await;
    Ok([gap(after.saturating_add(1), None), teller.finished(None, answer)])
}
