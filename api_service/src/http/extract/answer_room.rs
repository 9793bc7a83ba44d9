//! Memory for an answer. Asked for before anything is done: what was done is answered, whatever it takes.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use crate::domain::caller::Caller;
use crate::http::failure::Failure;
use crate::http::memory_budget::{MemoryBudget, MemoryPermit};

/// The memory for answers that have not been read.
#[derive(Debug, Clone)]
pub struct AnswerBudget(pub MemoryBudget);

/// Room for one answer, to be held until it has been read.
pub struct AnswerRoom(pub MemoryPermit);

impl FromRequest for AnswerRoom {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let user = request.extensions().get::<Caller>().map(|caller| caller.user.clone());
        let Some(AnswerBudget(budget)) = request.app_data::<AnswerBudget>() else {
            return ready(Err(Failure::AnswersFull));
        };
        let permit = budget.enter(user);
        ready(if permit.has_room() { Ok(Self(permit)) } else { Err(Failure::AnswersFull) })
    }
}
