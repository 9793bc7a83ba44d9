//! Memory for answers. It is asked for before anything is done; what was done is answered, whatever it takes.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use tokio::sync::Mutex;

use crate::domain::caller::Caller;
use crate::domain::ids::UserId;
use crate::http::failure::Failure;
use crate::http::memory_budget::{MemoryBudget, MemoryPermit};

/// How long an answer waits for others of its user to be read. Connections of those who do not read end before.
const PATIENCE: Duration = Duration::from_secs(60);

/// The memory for answers that have not been read.
#[derive(Debug, Clone)]
pub struct AnswerBudget(pub MemoryBudget);

/// Room for one answer, given back when the last copy is dropped: when the answer has been read.
#[derive(Debug, Clone)]
pub struct AnswerRoom(Arc<Mutex<MemoryPermit>>);

impl AnswerRoom {
    /// For an answer to `user`.
    ///
    /// # Errors
    /// [`Failure::AnswersFull`].
    pub fn of(AnswerBudget(budget): &AnswerBudget, user: Option<UserId>) -> Result<Self, Failure> {
        let permit = budget.enter(user);
        if permit.has_room() {
            Ok(Self(Arc::new(Mutex::new(permit))))
        } else {
            Err(Failure::AnswersFull)
        }
    }

    /// Waits for room for an answer of `length` bytes, which is about to be written.
    pub async fn enter(&self, length: usize) {
        self.0.lock().await.grow_in_time(length, PATIENCE).await;
    }
}

impl FromRequest for AnswerRoom {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let user = request.extensions().get::<Caller>().map(|caller| caller.user.clone());
        let budget = request.app_data::<AnswerBudget>().ok_or(Failure::AnswersFull);
        ready(budget.and_then(|budget| Self::of(budget, user)))
    }
}
