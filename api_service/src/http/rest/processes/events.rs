//! `GET …/processes/{pid}/events`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::{named, telling};
use crate::http::extract::{CurrentCaller, LastEventId, QueryParams, RequestId};
use crate::http::failure::Failure;
use crate::http::rest::executions::events::EventsQuery;
use crate::state::AppState;

/// What happens to one of them, while it runs and for a while after. Needs the scope `read`.
pub(in crate::http::rest) async fn get(
    state: Data<AppState>,
    CurrentCaller(who): CurrentCaller,
    RequestId(request_id): RequestId,
    LastEventId(last): LastEventId,
    QueryParams(query): QueryParams<EventsQuery>,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let (caller, id) = named(&who, &path, request_id)?;
    let after = query.parse()?;
    let (process, mut follower) =
        state.processes.follow(&caller, id, last.unwrap_or(after)).await?;
    // Tells those who come back by themselves that there is no more to come for.
    if process.end.is_some() && follower.has_seen_all().await? {
        return Ok(HttpResponse::NoContent().finish());
    }
    Ok(telling::respond(follower, process, caller))
}
