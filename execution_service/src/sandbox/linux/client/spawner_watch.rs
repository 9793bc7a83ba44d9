//! Looks often whether the spawner still answers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};

use super::spawner::SpawnerClient;
use crate::sandbox::backend::Health;

/// Between two looks at whether sandboxes can be made: a caller should not wait longer than some seconds
/// for somebody who does not answer.
const PULSE: Duration = Duration::from_secs(2);
/// A sign of life that takes longer is none. It is a millisecond's work, but on a busy machine it has to
/// wait for a processor.
const LIFELESS: Duration = Duration::from_secs(4);
/// So many of them in a row, without any other sign of life, and it is taken for dead. Each is asked for and
/// waited for: where everybody was stopped for an hour (a paused machine), one passes at most. That is 24
/// seconds, and no machine is so busy that a process gets no turn for that long.
const HOPELESS: u32 = 6;

/// What was seen last.
#[derive(Default)]
pub struct SpawnerWatch {
    stalled: AtomicBool,
}

impl SpawnerWatch {
    /// Whether it answers.
    pub fn health(&self) -> Health {
        if self.stalled.load(Ordering::Relaxed) { Health::Stalled } else { Health::Healthy }
    }

    /// Watches until there is nobody to be watched any more.
    pub async fn watch(&self, spawner: &SpawnerClient) {
        let mut ticks = interval(PULSE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut lifeless = 0;
        loop {
            ticks.tick().await;
            // An error is an answer: of a spawner that is gone we hear elsewhere.
            let stalled = timeout(LIFELESS, spawner.count()).await.is_err();
            // One that is slow answers what was asked before.
            let lives = spawner.has_spoken() || !stalled;
            lifeless = if lives { 0 } else { lifeless + 1 };
            if lifeless == HOPELESS {
                tracing::error!("the process that makes sandboxes is taken for dead");
                spawner.give_up();
                return;
            }
            if self.stalled.swap(stalled, Ordering::Relaxed) != stalled {
                if stalled {
                    tracing::error!("the process that makes sandboxes does not answer");
                } else {
                    tracing::info!("the process that makes sandboxes answers again");
                }
            }
        }
    }
}
