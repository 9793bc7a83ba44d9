//! A run as server-sent events.

use std::pin::Pin;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use futures::{Stream, stream};
use tokio::sync::oneshot;
use tokio_util::sync::DropGuard;

use super::run::{Begun, Job};
use super::telling::{FINISHED, Teller, Told};
use crate::domain::idempotency::Reservation;
use crate::domain::ids::ExecutionId;
use crate::http::failure::Failure;
use crate::http::rest::idempotent::{Answer, mark_replayed};
use crate::http::stream::sse;
use crate::services::Error;
use crate::services::executions::{Followed, Follower, Keep, Started};

/// The answer of a run with a key, which is waited for whatever becomes of its reader.
type Waiting = Pin<Box<dyn Future<Output = Result<Answer, Failure>>>>;

/// Everything that happens from where `follower` is, to the end. With `presence`, the run is unwanted when the reader
/// goes away.
pub(super) fn respond(
    follower: Follower,
    teller: Teller,
    presence: Option<DropGuard>,
) -> HttpResponse {
    sse::respond(events(follower, teller, presence))
}

fn events(
    follower: Follower,
    teller: Teller,
    presence: Option<DropGuard>,
) -> impl Stream<Item = sse::Event> {
    // Also after the end: the answer has its room, and the run its reader, until all is sent.
    let state = (follower, teller, presence);
    stream::unfold(state, |(mut follower, teller, presence)| async {
        let followed = follower.next().await?;
        let told = teller.tell(followed).await;
        Some((told.into(), (follower, teller, presence)))
    })
}

impl Job {
    /// Events while it goes on. What refuses it as a whole is a problem of its own.
    pub(super) async fn streamed(self) -> Result<HttpResponse, Failure> {
        match self.reservation.clone() {
            None => self.streamed_once().await,
            Some(reservation) => self.streamed_under(reservation).await,
        }
    }

    async fn streamed_once(self) -> Result<HttpResponse, Failure> {
        let Self { executions, user, id, run, request_id, room, .. } = self;
        let (session, form) = (run.session.clone(), run.wishes.form);
        let started = executions.start(&user, id, run, &request_id, Keep::Log).await?;
        let Started { id, language, follower, unwanted } = started;
        // The rule of this route, for this way to read it as well.
        let presence = unwanted.drop_guard();
        follower.accepted().await?;
        let teller = Teller { id, session, language, form, request_id, room };
        Ok(respond(follower, teller, Some(presence)))
    }

    /// With a key it goes on without its reader, and a retry is attached to it.
    async fn streamed_under(self, reservation: Reservation) -> Result<HttpResponse, Failure> {
        if let Some(began) = self.idempotency.left_behind(&reservation)?
            && let Some(response) = self.attached(&began).await?
        {
            return Ok(response);
        }
        let recall = self.recall();
        let (begun, beginning) = oneshot::channel();
        let idempotency = self.idempotency.clone();
        let mut waiting: Waiting = Box::pin(async move {
            idempotency.to_the_end(&reservation, self.until_answered(Some(begun))).await?
        });
        let done = tokio::select! {
            biased;
            Ok(Begun { follower, teller }) = beginning => {
                if follower.accepted().await.is_err() {
                    // It says the same, when the key has been told.
                    waiting.await?;
                    return Err(Failure::from(Error::Fault("a refused run has an answer")));
                }
                return Ok(sse::respond(with_answer(follower, teller, waiting)));
            }
            done = &mut waiting => done,
        };
        let answer = recall.or(done).await?;
        if answer.status() != StatusCode::OK {
            return Ok(HttpResponse::from(answer));
        }
        let told = Told { number: None, name: FINISHED, data: answer.into_body() };
        let mut response = sse::respond(stream::iter([told.into()]));
        mark_replayed(&mut response);
        Ok(response)
    }

    /// The events of a run that an earlier request with this key has begun; `None` when they are not to be had.
    async fn attached(&self, began: &ExecutionId) -> Result<Option<HttpResponse>, Failure> {
        let follower = match self.executions.follow(&self.user, began, 0).await {
            Ok(follower) => follower,
            Err(Error::ExecutionNotFound | Error::ExecutionNotRunning) => return Ok(None),
            Err(error) => return Err(Failure::from(error)),
        };
        let found = self.executions.get(&self.user, began).await?;
        let teller = Teller {
            id: found.id,
            session: found.session,
            language: found.language,
            form: self.run.wishes.form,
            request_id: self.request_id.clone(),
            room: self.room.clone(),
        };
        let mut response = respond(follower, teller, None);
        mark_replayed(&mut response);
        Ok(Some(response))
    }
}

/// Everything that happens, with the end as the key has it.
fn with_answer(
    follower: Follower,
    teller: Teller,
    waiting: Waiting,
) -> impl Stream<Item = sse::Event> {
    let state = (follower, teller, Some(waiting));
    stream::unfold(state, |(mut follower, teller, mut waiting)| async {
        let followed = follower.next().await?;
        let told = match (followed, waiting.take()) {
            (Followed::End(number, _), Some(waiting)) => {
                teller.finished(Some(number), waiting.await.map(Answer::into_body))
            }
            (followed, kept) => {
                waiting = kept;
                teller.tell(followed).await
            }
        };
        Some((told.into(), (follower, teller, waiting)))
    })
}

impl From<Told> for sse::Event {
    fn from(told: Told) -> Self {
        let Told { number, name, data } = told;
        Self::of_json(number, name, data)
    }
}
