//! Owners: what all sandboxes of one may use together, running or idle.
//!
//! ```text
//! Owners ── Ledger      what is promised: to one owner, to all
//!        ├─ Member      one sandbox: whose it is, whether something in it is waited for
//!        ├─ headroom    what one that idles may come to
//!        ├─ open_files  of which one owner may have so many
//!        └─ balance     processors are divided by owner first; when memory is short, the largest owner gives
//! ```
//! A sandbox in which something is waited for is promised its limits. One that idles, or that its owner has paused,
//! is promised what it holds.

mod balance;
mod headroom;
mod ledger;
mod membership;
mod open_files;
mod pause;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::execution::sharing::Activity;
use crate::sandbox::backend::Sandbox;
use crate::sandbox::spec::{Footprint, SandboxLimits};

pub use balance::Evicted;
use headroom::IdleLimits;
pub use ledger::{Bound, Overcommitted, Promisable};
use ledger::{Ledger, Promised};
pub use membership::{Membership, Promise};
pub use pause::NotPaused;

/// Weight of the only sandbox of an owner that computes while something in it is waited for.
const FULL: u32 = 1000;
/// Weight of all of them together where there are several. They are on all processors, and another owner's one program
/// is on one: with the same weight it would have two thirds of that, with this it has four fifths.
const SEVERAL: u32 = 500;
/// The same of those in which nothing is: what is left over, and a little where nothing is.
const LOW: u32 = 100;
/// The least of each. The kernel may take the processor from a program while that holds a lock of the kernel which
/// everybody waits for, new sandboxes first: with a weight of 2 it was back after seconds.
const LEAST_LOW: u32 = 3;

/// What may go on in a session while nothing in it is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Background {
    /// As much as otherwise.
    Full,
    /// What the processors have left over.
    Low,
    /// Nothing: its processes stand still until it is used again.
    Frozen,
}

/// What holds for every owner.
#[derive(Clone, Copy, Debug)]
pub struct OwnerRules {
    /// What may be promised.
    pub promisable: Promisable,
    /// What the machine has for all sandboxes.
    pub capacity: Footprint,
    /// The bound on what the sandboxes of one owner hold.
    pub most_of_one: Footprint,
    /// See [`Background`].
    pub background: Background,
}

/// Everybody who has a sandbox. Cheap to clone.
#[derive(Clone)]
pub struct Owners(Arc<Shared>);

struct Shared {
    rules: OwnerRules,
    state: Mutex<State>,
    /// A promise was given back.
    room: Notify,
}

struct State {
    ledger: Ledger,
    members: BTreeMap<u64, Member>,
    last: u64,
}

/// One sandbox.
struct Member {
    owner: String,
    sandbox: Arc<dyn Sandbox>,
    activity: Activity,
    promised: Promised,
    /// The most that it was ever promised.
    most: Footprint,
    stage: Stage,
    weight: u32,
    /// Processor time that it had used at the last look.
    cpu: Option<Duration>,
    /// It computes, as far as is known: so does one that is new.
    computes: bool,
    /// When it was looked at last that idles, or was waited for.
    seen: Instant,
    /// Its owner has had it stand still, until it is used again.
    paused: bool,
    /// It has to go, and is on its way.
    leaves: bool,
    idle_limits: IdleLimits,
}

/// Whether something in it is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Active,
    Idle,
}

impl Owners {
    /// Nobody yet.
    pub fn new(rules: OwnerRules) -> Self {
        let ledger = Ledger::new(rules.promisable);
        let state = Mutex::new(State { ledger, members: BTreeMap::new(), last: 0 });
        Self(Arc::new(Shared { rules, state, room: Notify::new() }))
    }

    /// With room for whatever a test wants.
    #[cfg(test)]
    pub fn roomy() -> Self {
        let room = Footprint { memory_bytes: u64::MAX, processes: u64::MAX };
        Self::new(OwnerRules {
            promisable: Promisable { all: room, one: room },
            capacity: room,
            most_of_one: room,
            background: Background::Low,
        })
    }

    /// Promises `limits` to one more sandbox of `owner`.
    ///
    /// # Errors
    /// [`Overcommitted`].
    pub fn promise(&self, owner: &str, limits: SandboxLimits) -> Result<Promise, Overcommitted> {
        let promised = Promised { footprint: Footprint::of(limits), active: true };
        self.lock().ledger.promise(owner, Promised::default(), promised)?;
        Ok(Promise { owners: self.clone(), owner: String::from(owner), promised })
    }

    /// The same, waiting for room until `latest`; without such a time, for as long as it takes.
    ///
    /// # Errors
    /// [`Overcommitted`] when there was none by then.
    pub async fn promise_by(
        &self,
        owner: &str,
        limits: SandboxLimits,
        latest: Option<Instant>,
    ) -> Result<Promise, Overcommitted> {
        self.when_there_is_room(latest, || self.promise(owner, limits)).await
    }

    async fn when_there_is_room<T>(
        &self,
        latest: Option<Instant>,
        mut take: impl FnMut() -> Result<T, Overcommitted>,
    ) -> Result<T, Overcommitted> {
        loop {
            // Before the try: what is given back in between must not be missed.
            let room = self.0.room.notified();
            let refused = match take() {
                Ok(taken) => return Ok(taken),
                Err(refused) => refused,
            };
            match latest {
                None => room.await,
                Some(latest) => timeout_at(latest, room).await.map_err(|_| refused)?,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// How many sandboxes `owner` has beside `own` in which something is waited for now. One whose step has just ended is
    /// none of them: who does one thing after the other is not slowed down for it.
    fn busy_beside(&self, own: u64, owner: &str) -> usize {
        let is_busy = |(number, member): &(&u64, &Member)| {
            **number != own
                && member.stage == Stage::Active
                && member.owner == owner
                && member.activity.is_awaited()
        };
        self.members.iter().filter(is_busy).count()
    }
}

impl Member {
    /// Gives it `weight` thousandths of what one owner has.
    fn weigh(&mut self, weight: u32) {
        if self.weight != weight {
            self.weight = weight;
            self.sandbox.set_cpu_weight(weight);
        }
    }
}

/// The weight of each of `count` that compute.
fn each_of(count: usize) -> u32 {
    if count > 1 { part(SEVERAL, count) } else { FULL }
}

/// The weight of each of `count` in which something is waited for and that does not compute.
fn of_waiting(count: usize) -> u32 {
    if count > 1 { part(SEVERAL / 2, count) } else { FULL }
}

/// The weight of each of `count` in which nothing is waited for.
fn of_idle(count: usize) -> u32 {
    part(LOW, count).max(LEAST_LOW)
}

/// The weight of each of `count` that have `all` together.
fn part(all: u32, count: usize) -> u32 {
    (all / u32::try_from(count).unwrap_or(u32::MAX).max(1)).max(1)
}

#[cfg(test)]
mod tests;
