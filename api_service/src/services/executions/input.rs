//! Standard input of a run that goes on.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Executions;
use crate::domain::execution::ExecutionState;
use crate::domain::ids::{ExecutionId, UserId};
use crate::domain::run::Input;
use crate::services::Error;
use crate::workers::client::{self, Call};

/// How long the worker may take: longer than it waits for a program that reads slowly.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long a run that is on its way to the worker is waited for, and when to ask again.
const ON_ITS_WAY: Duration = Duration::from_secs(2);
const RETRY: Duration = Duration::from_millis(20);

impl Executions {
    /// Writes to the standard input of a user's run that was started with an open one; also while it waits for its
    /// turn.
    ///
    /// # Errors
    /// [`Error::ExecutionNotFound`]; [`Error::ExecutionNotRunning`]; [`Error::InputClosed`] where it is not open, or
    /// not any more; [`Error::InputFull`] when the program does not read.
    pub async fn write_input(
        &self,
        user: &UserId,
        id: &ExecutionId,
        input: &Input,
        request_id: &str,
    ) -> Result<(), Error> {
        let execution = self.get(user, id).await?;
        match execution.state {
            ExecutionState::Queued | ExecutionState::Running => {}
            ExecutionState::Finished(_) | ExecutionState::Cancelled | ExecutionState::Unknown => {
                return Err(Error::ExecutionNotRunning);
            }
        }
        let call = Call { request_id: request_id.to_owned(), deadline: DEADLINE };
        let client = self.home(&execution)?.client();
        let patience_ends = Instant::now() + ON_ITS_WAY;
        loop {
            match client.write_input(&call, id, user, input).await {
                Err(client::Error::ExecutionNotFound) => {
                    let goes_on = self.live.ongoing(user, id).is_some();
                    if !goes_on || Instant::now() > patience_ends {
                        return Err(Error::ExecutionNotRunning);
                    }
                    sleep(RETRY).await;
                }
                written => return Ok(written?),
            }
        }
    }
}
