//! Answers that are the same however often a request is repeated.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Bytes;

use super::response_body::respond;
use crate::domain::caller::Caller;
use crate::domain::idempotency::{IdempotencyKey, Reservation};
use crate::http::extract::AnswerRoom;
use crate::http::failure::Failure;
use crate::services::Error;
use crate::services::idempotency::{Begin, Idempotency};
use crate::services::secrets::sha256_hex_of;

const REPLAYED: &str = "idempotent-replayed";

/// An answer, ready to be sent or kept.
pub(super) struct Answer {
    status: u16,
    body: Bytes,
    replayed: bool,
}

impl Answer {
    /// Its status.
    pub(super) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK)
    }

    /// Its body.
    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    /// The same, alone.
    pub(super) fn into_body(self) -> Bytes {
        self.body
    }

    /// One that was given, or would have been, to an earlier request.
    pub(super) fn replayed(status: StatusCode, body: Bytes) -> Self {
        Self { status: status.as_u16(), body, replayed: true }
    }
}

/// Says of an answer that it is of an earlier request.
pub(super) fn mark_replayed(response: &mut HttpResponse) {
    let (name, value) = (HeaderName::from_static(REPLAYED), HeaderValue::from_static("true"));
    response.headers_mut().insert(name, value);
}

/// The reservation that a key asks for, if there is one: `asked` is the body, behind what else makes it another request.
pub(super) fn reservation(
    key: Option<IdempotencyKey>,
    caller: &Caller,
    route: &'static str,
    asked: &[&[u8]],
) -> Option<Reservation> {
    key.map(|key| {
        let fingerprint = sha256_hex_of(asked);
        Reservation { user: caller.user.clone(), route, key, fingerprint, execution: None }
    })
}

/// Does `work`, which gives the body of its answer, or gives the answer that it gave before under the
/// same key.
pub(in crate::http::rest) async fn idempotent(
    idempotency: &Idempotency,
    reservation: Option<Reservation>,
    status: StatusCode,
    work: impl Future<Output = Result<Bytes, Error>>,
) -> Result<Answer, Failure> {
    let claim = match reservation {
        Some(reservation) => match idempotency.begin(reservation).await? {
            Begin::Fresh(claim) => Some(claim),
            Begin::Replay { status, body } => {
                return Ok(Answer { status, body: Bytes::from(body), replayed: true });
            }
        },
        None => None,
    };
    match work.await {
        Ok(body) => {
            let answer = Answer { status: status.as_u16(), body, replayed: false };
            if let Some(claim) = claim {
                claim.answered(answer.status, answer.body.clone()).await?;
            }
            Ok(answer)
        }
        Err(error) => {
            if let Some(claim) = claim {
                claim.failed(&error).await?;
            }
            Err(Failure::from(error))
        }
    }
}

impl From<Answer> for HttpResponse {
    fn from(answer: Answer) -> Self {
        answer.respond(None)
    }
}

impl Answer {
    /// As a response, when there is `room`, which it has until it has been sent.
    pub(super) async fn respond_in(self, room: AnswerRoom) -> HttpResponse {
        room.enter(self.body.len()).await;
        self.respond(Some(room))
    }

    fn respond(self, room: Option<AnswerRoom>) -> HttpResponse {
        let mut response = HttpResponse::build(self.status());
        let Self { status: _, body, replayed } = self;
        response.content_type("application/json");
        if replayed {
            response.insert_header((REPLAYED, "true"));
        }
        respond(&mut response, body, room)
    }
}
