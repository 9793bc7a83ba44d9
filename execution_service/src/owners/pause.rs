//! Sandboxes that their owners have stand still.

use std::sync::Arc;

use tokio::time::Instant;

use super::{Membership, Stage};
use crate::sandbox::backend::SandboxError;

/// Why a sandbox does not stand still.
#[derive(Debug, thiserror::Error)]
pub enum NotPaused {
    /// A run goes on in it, whose time would run out while it stood still.
    #[error("a run goes on in the session")]
    RunGoesOn,
    /// It could not be told.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}

impl Membership {
    /// Has everything in the sandbox stand still until it is used again; returns when it does. What it holds it keeps,
    /// and it is promised no more than that.
    ///
    /// # Errors
    /// [`NotPaused`]. A run that begins while this goes on resumes it.
    pub async fn pause(&self) -> Result<(), NotPaused> {
        let sandbox = {
            let mut state = self.owners.lock();
            let Some(member) = state.members.get_mut(&self.number) else {
                return Ok(());
            };
            // A run is among what goes on before it is made sure that the sandbox does not stand still.
            if member.activity.has_runs() {
                return Err(NotPaused::RunGoesOn);
            }
            member.paused = true;
            member.stage = Stage::Idle;
            // As long ago as can be: what it holds is measured at the next look.
            member.seen =
                Instant::now().checked_sub(super::balance::MEASURE).unwrap_or(member.seen);
            Arc::clone(&member.sandbox)
        };
        // To its end: one that was cut off half-way might stand still though somebody has begun to use it.
        let (owners, number) = (self.owners.clone(), self.number);
        let pausing = tokio::spawn(async move { owners.pause(number, &*sandbox).await });
        let paused = pausing.await.unwrap_or(Err(SandboxError::Gone));
        if paused.is_err()
            && let Some(member) = self.owners.lock().members.get_mut(&number)
        {
            member.paused = false;
        }
        Ok(paused?)
    }

    /// Whether its owner has paused it, and nobody has used it since.
    pub fn is_paused(&self) -> bool {
        self.owners.lock().members.get(&self.number).is_some_and(|member| member.paused)
    }
}
