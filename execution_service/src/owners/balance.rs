//! Looks at all sandboxes now and then: divides the processors by owner, notes which idle, and asks the largest
//! owner to give when memory or processes run short.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::{Instant, timeout};

use super::ledger::Promised;
use super::{Background, Member, Owners, Stage, State, each_of, of_idle, of_waiting};
use crate::execution::sharing::Activity;
use crate::sandbox::backend::{Sandbox, SandboxError};
use crate::sandbox::spec::Footprint;

/// A sandbox in which nothing was waited for so long idles. Steps of one conversation follow each other faster.
const GRACE: Duration = Duration::from_secs(1);
/// For an answer from inside of one that idles.
const STARVED: Duration = Duration::from_millis(500);
/// Processor time between two looks, by which a sandbox is known to compute: a fiftieth of a processor. Where so many
/// spin that none has as much, what they have together is no more than one owner's weight all the same.
const COMPUTES: Duration = Duration::from_millis(2);
/// The same of one that idles. Less than that nobody notices.
const STIRS: Duration = Duration::from_micros(200);
/// Between two looks at what one holds that idles.
pub(super) const MEASURE: Duration = Duration::from_secs(5);

/// A sandbox that has to go, because its owner holds too much.
pub struct Evicted {
    /// It.
    pub sandbox: Arc<dyn Sandbox>,
    /// What goes on in it.
    pub activity: Activity,
    /// What all sandboxes of its owner hold.
    pub held: Footprint,
}

/// Hundredths of the memory that it was promised that a sandbox may hold: init is not counted in a limit, and a tmpfs is
/// in pages.
const A_LITTLE_MORE: u64 = 110;
/// Hundredths of the machine that are taken when it is time to look who has taken them.
const LOOK_CLOSELY: u64 = 35;
/// The same when somebody has to give: below what the kernel would stop, which does not ask whose it is.
const SHORT: u64 = 88;

impl Owners {
    /// Divides the processors among the owners who want them, and each owner's part among his sandboxes.
    /// Gives those that hold more than they were ever promised, which only an idle one can where no cgroup keeps it
    /// from that.
    pub async fn divide_processors(&self) -> Vec<Evicted> {
        let mut measuring = Vec::new();
        {
            let mut state = self.lock();
            let now = Instant::now();
            let background = self.0.rules.background;
            for (number, member) in &mut state.members {
                member.look();
                // Whoever waits for something in one that is paused waits until it is resumed.
                if member.activity.is_awaited() && !member.paused {
                    member.seen = now;
                    continue;
                }
                let patience = match member.stage {
                    Stage::Active => GRACE,
                    Stage::Idle => MEASURE,
                };
                if now.duration_since(member.seen) < patience {
                    continue;
                }
                member.seen = now;
                measuring.push((*number, Arc::clone(&member.sandbox)));
                let stage = std::mem::replace(&mut member.stage, Stage::Idle);
                if stage == Stage::Active && background == Background::Frozen {
                    let (owners, number) = (self.clone(), *number);
                    let sandbox = Arc::clone(&member.sandbox);
                    // To its end: one that was cut off between the two might stand still for ever.
                    tokio::spawn(async move {
                        if let Err(error) = owners.pause(number, &*sandbox).await {
                            // It is gone, or its inside is starved: it goes on at its low weight.
                            tracing::debug!(%error, "an idle sandbox could not be paused");
                        }
                    });
                }
            }
            weigh(state.members.values_mut(), background);
            let told = state.divide_room(self.0.rules);
            if !told.is_empty() {
                let owners = self.clone();
                tokio::spawn(async move {
                    for number in told {
                        owners.tell_limits(number).await;
                    }
                });
            }
        }
        // Side by side and not for long: one whose inside is starved must not keep the others from being looked at.
        let measuring = measuring.iter().map(async |(number, sandbox)| {
            let held = timeout(STARVED, sandbox.footprint()).await.ok()?;
            self.note(*number, held)
        });
        join_all(measuring).await.into_iter().flatten().collect()
    }

    /// Stops what goes on in a sandbox that is not to be used now.
    ///
    /// # Errors
    /// Those of the sandbox.
    pub(super) async fn pause(
        &self,
        number: u64,
        sandbox: &dyn Sandbox,
    ) -> Result<(), SandboxError> {
        let paused = sandbox.pause().await;
        let is_idle = |member: &Member| member.stage == Stage::Idle;
        if !self.lock().members.get(&number).is_some_and(is_idle) {
            // Somebody has begun to use it meanwhile.
            let _ = sandbox.resume().await;
        }
        paused
    }

    /// An idle sandbox is promised what it holds, if that is not too much.
    fn note(&self, number: u64, held: Footprint) -> Option<Evicted> {
        let mut state = self.lock();
        let State { ledger, members, .. } = &mut *state;
        if let Some(member) = members.get_mut(&number)
            && member.stage != Stage::Active
        {
            // It is there already, whoever was promised what: a sum that is too large grants nothing new.
            let promised = Promised { footprint: held, active: false };
            ledger.note(&member.owner, member.promised, promised);
            member.promised = promised;
            if held.memory_bytes > member.most.hundredths(A_LITTLE_MORE).memory_bytes {
                let (sandbox, activity) = (Arc::clone(&member.sandbox), member.activity.clone());
                return Some(Evicted { sandbox, activity, held });
            }
        }
        drop(state);
        self.0.room.notify_waiters();
        None
    }

    /// Whose sandboxes must go, if all of them hold `all` now: as many as it takes.
    pub async fn too_much(&self, all: Footprint) -> Vec<Evicted> {
        let rules = self.0.rules;
        if all.is_within(rules.capacity.hundredths(LOOK_CLOSELY)) {
            return Vec::new();
        }
        let members: Vec<(String, Arc<dyn Sandbox>, Activity)> = {
            let state = self.lock();
            let of = |member: &Member| {
                (member.owner.clone(), Arc::clone(&member.sandbox), member.activity.clone())
            };
            state.members.values().filter(|member| member.stays()).map(of).collect()
        };
        let mut owners = HashMap::<String, Holdings>::new();
        for (owner, sandbox, activity) in members {
            let held = sandbox.footprint().await;
            owners.entry(owner).or_default().add(held, sandbox, activity);
        }
        let mut owners: Vec<Holdings> = owners.into_values().collect();
        let weight = |held: Footprint| held.largest_part_of(rules.capacity);
        for owner in &mut owners {
            // The largest last.
            owner
                .sandboxes
                .sort_by(|(one, ..), (other, ..)| weight(*one).total_cmp(&weight(*other)));
        }
        let mut evicted = Vec::new();
        loop {
            // Not of `all`: what nobody who lives holds comes back when nobody is ended.
            let held = owners.iter().fold(Footprint::default(), |all, owner| all.and(owner.sum));
            let is_short = !held.is_within(rules.capacity.hundredths(SHORT));
            let largest = owners
                .iter_mut()
                .filter(|owner| {
                    // One sandbox alone is bounded by its own limits.
                    owner.sandboxes.len() > 1 && !owner.sum.is_within(rules.most_of_one) || is_short
                })
                .max_by(|one, other| weight(one.sum).total_cmp(&weight(other.sum)));
            let Some(gone) = largest.and_then(Holdings::give_largest) else {
                return evicted;
            };
            evicted.push(gone);
        }
    }
}

/// What the sandboxes of one owner hold.
#[derive(Default)]
struct Holdings {
    sum: Footprint,
    sandboxes: Vec<(Footprint, Arc<dyn Sandbox>, Activity)>,
}

impl Holdings {
    fn add(&mut self, held: Footprint, sandbox: Arc<dyn Sandbox>, activity: Activity) {
        self.sum = self.sum.and(held);
        self.sandboxes.push((held, sandbox, activity));
    }

    /// Takes the last one out.
    fn give_largest(&mut self) -> Option<Evicted> {
        let (largest, sandbox, activity) = self.sandboxes.pop()?;
        let held = self.sum;
        self.sum = self.sum.less(largest);
        Some(Evicted { sandbox, activity, held })
    }
}

impl Owners {
    /// A sandbox is about to end: what it holds is given back, and nobody else has to go for it.
    pub fn leaves(&self, sandbox: &Arc<dyn Sandbox>) {
        let mut state = self.lock();
        let is_it = |member: &&mut Member| Arc::ptr_eq(&member.sandbox, sandbox);
        if let Some(member) = state.members.values_mut().find(is_it) {
            member.leaves = true;
        }
    }
}

impl Member {
    /// Whether it is not about to end.
    pub(super) fn stays(&self) -> bool {
        !self.leaves && !self.sandbox.is_gone()
    }

    /// Notes whether it has computed since the last look.
    fn look(&mut self) {
        let Some(cpu) = self.sandbox.cpu_time() else {
            return;
        };
        let enough = match self.stage {
            Stage::Active => COMPUTES,
            Stage::Idle => STIRS,
        };
        self.computes = self.cpu.is_none_or(|before| cpu.saturating_sub(before) >= enough);
        self.cpu = Some(cpu);
    }
}

/// Each owner has the same weight: divided among those sandboxes that compute while something in them is waited for.
/// Those that wait, too, have half of that together, for when they all begin to compute at the same moment. The others of
/// an owner share a little.
fn weigh<'a>(members: impl Iterator<Item = &'a mut Member>, background: Background) {
    let mut owners = HashMap::<String, (Vec<&mut Member>, Vec<&mut Member>)>::new();
    for member in members {
        let (active, idle) = owners.entry(member.owner.clone()).or_default();
        if member.stage == Stage::Active || background == Background::Full {
            active.push(member);
        } else {
            idle.push(member);
        }
    }
    let computing = |members: &[&mut Member]| members.iter().filter(|it| it.computes).count();
    for (active, idle) in owners.into_values() {
        let (of_one, of_other) = (each_of(computing(&active)), of_waiting(active.len()));
        for member in active {
            member.weigh(if member.computes { of_one } else { of_other });
        }
        // One that does nothing costs nothing, and begins with what it would have if all of them did something.
        let (of_one, of_still) = (of_idle(computing(&idle)), of_idle(idle.len()));
        for member in idle {
            member.weigh(if member.computes { of_one } else { of_still });
        }
    }
}
