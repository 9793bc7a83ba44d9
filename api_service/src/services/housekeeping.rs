//! What happens without a request: the gateway shows that it lives, watches the worker, and
//! forgets what is old.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::attempts::Attempts;
use super::background::Background;
use super::offboarding::Offboarding;
use crate::domain::ids::BootId;
use crate::domain::timestamp::Timestamp;
use crate::storage::{self, Database, Retention};
use crate::workers::{Worker, Workers};

/// How often the worker is asked what it is.
const UP_INTERVAL: Duration = Duration::from_secs(3);
/// How often while it is down.
const DOWN_INTERVAL: Duration = Duration::from_millis(250);
/// How often a gateway shows that it lives.
const RENEW_INTERVAL: Duration = Duration::from_secs(5);
/// A gateway that has not shown so for this long is dead.
const DEAD_AFTER: Duration = Duration::from_secs(30);
/// How often the old is forgotten.
const RETENTION_INTERVAL: Duration = Duration::from_secs(3600);
/// How often it is looked for users who have too much of something.
const CROWD_INTERVAL: Duration = Duration::from_secs(10);
/// How often it is looked for what disabled users have running.
const OFFBOARDING_INTERVAL: Duration = Duration::from_secs(5);
/// How often quiet sign-in counters are dropped.
const ATTEMPTS_INTERVAL: Duration = Duration::from_secs(60);

/// Keeps the house.
#[derive(Clone)]
pub struct Housekeeping {
    /// What to keep in order.
    pub database: Database,
    /// What to watch.
    pub workers: Workers,
    /// Whose counters to drop.
    pub attempts: Arc<Attempts>,
    /// Who ends what disabled users have running.
    pub offboarding: Offboarding,
    /// This life of the gateway.
    pub boot: BootId,
    /// How long things are remembered.
    pub retention: Retention,
}

impl Housekeeping {
    /// Enters the house: what earlier gateways left unfinished is settled before anybody asks.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn move_in(&self) -> Result<(), storage::Error> {
        self.database.insert_boot(&self.boot).await?;
        self.database.settle_what_dead_boots_left().await
    }

    /// Starts everything that is done again and again, until `stop`.
    pub fn start(&self, background: &Background, stop: &CancellationToken) {
        for worker in self.workers.each() {
            let (worker, stopped) = (worker.clone(), stop.clone());
            background.spawn(async move {
                stopped.run_until_cancelled(watch(worker)).await;
            });
        }
        let this = self.clone();
        background.spawn(repeat(stop.clone(), RENEW_INTERVAL, async move || {
            log("the gateway could not show that it lives", this.renew().await);
        }));
        let this = self.clone();
        background.spawn(repeat(stop.clone(), RETENTION_INTERVAL, async move || {
            let done = this.database.forget_the_old(&this.retention).await;
            log("the old could not be forgotten", done);
        }));
        let this = self.clone();
        background.spawn(repeat(stop.clone(), CROWD_INTERVAL, async move || {
            let done = this.database.forget_the_many(&this.retention).await;
            log("the many could not be forgotten", done);
            log("disk could not be given back", this.database.give_disk_back().await);
        }));
        let this = self.clone();
        background.spawn(repeat(stop.clone(), OFFBOARDING_INTERVAL, async move || {
            this.offboarding.go_on().await;
        }));
        let this = self.clone();
        background.spawn(repeat(stop.clone(), ATTEMPTS_INTERVAL, async move || {
            this.attempts.forget_the_quiet();
        }));
    }

    /// Leaves the house in order: nothing of this gateway is unfinished any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn move_out(&self) -> Result<(), storage::Error> {
        self.database.delete_boot(&self.boot).await?;
        self.database.settle_what_dead_boots_left().await
    }

    async fn renew(&self) -> Result<(), storage::Error> {
        let dead_since = Timestamp::now().before(DEAD_AFTER);
        self.database.renew_boot(&self.boot, dead_since).await?;
        self.database.settle_what_dead_boots_left().await
    }
}

/// Asks the worker what it is, again and again; more often while it is down, so that the
/// first request after its return need not wait.
async fn watch(worker: Worker) {
    let mut last = None;
    loop {
        let answer = worker.refresh("watch").await;
        let is_up = answer.is_ok();
        match answer {
            Ok(seen) if last != Some(is_up) => {
                tracing::info!(
                    worker.instance = seen.instance_id,
                    isolation = seen.isolation,
                    "the worker is up"
                );
            }
            Err(error) if last != Some(is_up) => tracing::warn!(%error, "the worker is down"),
            Ok(_) | Err(_) => {}
        }
        last = Some(is_up);
        let pause = if is_up { UP_INTERVAL } else { DOWN_INTERVAL };
        tokio::time::sleep(pause).await;
    }
}

async fn repeat(stop: CancellationToken, every: Duration, mut work: impl AsyncFnMut()) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let work = async {
        loop {
            ticks.tick().await;
            work().await;
        }
    };
    stop.run_until_cancelled(work).await;
}

fn log(what: &'static str, done: Result<(), storage::Error>) {
    if let Err(error) = done {
        tracing::error!(%error, "{what}");
    }
}
