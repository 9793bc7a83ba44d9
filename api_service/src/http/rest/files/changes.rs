//! `…/files:watch`: what changes below a directory, as it happens.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use futures::stream;

use super::Asker;
use super::json::{ChangeEvent, EndEvent, ReadyEvent};
use crate::domain::files::MAX_DEPTH;
use crate::http::extract::{ByteQuery, CurrentCaller, RequestId};
use crate::http::failure::Failure;
use crate::http::stream::sse::{self, Event};
use crate::services::files::{Changes, Changing};
use crate::state::AppState;

/// Watch a directory. Needs the scope `read`.
pub(in crate::http::rest) async fn watch(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    query: ByteQuery,
    id: Path<String>,
) -> Result<HttpResponse, Failure> {
    let mut parameters = query.parameters()?;
    let path = parameters.path("path");
    let depth = parameters.number("depth", MAX_DEPTH, MAX_DEPTH);
    parameters.finish()?;
    let asker = Asker::of(&id, caller, request_id)?;
    let changing = state.files.watch(asker.asked(), path.as_ref(), depth).await?;
    let watching = Watching { changing: Some(changing), ready: Vec::new(), told: 0 };
    Ok(sse::respond(stream::unfold(watching, |mut watching| async {
        let event = watching.next().await?;
        Some((event, watching))
    })))
}

/// A watch that goes on.
struct Watching {
    /// Nothing after its end.
    changing: Option<Changing>,
    /// Changes that were seen together, the next one last.
    ready: Vec<Event>,
    told: u64,
}

impl Watching {
    async fn next(&mut self) -> Option<Event> {
        while self.ready.is_empty() {
            let changing = self.changing.as_mut()?;
            let seen = changing.next().await.inspect_err(|error| {
                tracing::warn!(%error, "a watch broke off");
            });
            match seen {
                Ok(Some(Changes { ended: None, changes, truncated })) => {
                    if self.told == 0 {
                        self.tell("ready", &ReadyEvent { truncated });
                    }
                    for change in &changes {
                        self.tell(change.kind.name(), &ChangeEvent::of(change));
                    }
                    self.ready.reverse();
                }
                Ok(Some(Changes { ended: Some(reason), .. })) => self.end(reason),
                Ok(None) | Err(_) => self.end(String::from("worker_lost")),
            }
        }
        self.ready.pop()
    }

    fn end(&mut self, reason: String) {
        self.changing = None;
        self.tell("end", &EndEvent { reason });
    }

    fn tell(&mut self, name: &'static str, data: &impl serde::Serialize) {
        self.told += 1;
        // Words and numbers are JSON.
        self.ready.extend(Event::new(Some(self.told), name, data));
    }
}
