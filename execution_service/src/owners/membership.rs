//! A sandbox among those of its owner: what it was promised, and that it is used again.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::headroom::IdleLimits;
use super::ledger::{Overcommitted, Promised};
use super::{Background, FULL, Member, Owners, Stage, State, each_of};
use crate::execution::sharing::Activity;
use crate::sandbox::backend::Sandbox;
use crate::sandbox::spec::{Footprint, SandboxLimits};

/// A promise to a sandbox that is being made. Dropped, it is given back.
pub struct Promise {
    pub(super) owners: Owners,
    pub(super) owner: String,
    pub(super) promised: Promised,
}

/// A sandbox among those of its owner, for as long as it is held.
pub struct Membership {
    pub(super) owners: Owners,
    pub(super) number: u64,
}

/// What has to be done before one that is used again can be.
#[derive(Default)]
struct Woken {
    /// It has to be resumed.
    frozen: Option<Arc<dyn Sandbox>>,
    /// Its own limits are not in force.
    is_held: bool,
}

/// For which one that is used again does not idle, whatever goes on in it.
const RESUMING: Duration = Duration::from_secs(15);

impl Promise {
    /// The sandbox is there, and what goes on in it is `activity`.
    pub fn keep(mut self, sandbox: &Arc<dyn Sandbox>, activity: &Activity) -> Membership {
        let promised = std::mem::take(&mut self.promised);
        let mut state = self.owners.lock();
        state.last += 1;
        let number = state.last;
        let weight = each_of(state.busy_beside(number, &self.owner) + 1);
        let mut member = Member {
            owner: self.owner.clone(),
            sandbox: Arc::clone(sandbox),
            activity: activity.clone(),
            promised,
            most: promised.footprint,
            stage: Stage::Active,
            weight: FULL,
            cpu: None,
            computes: true,
            seen: Instant::now(),
            paused: false,
            leaves: false,
            idle_limits: IdleLimits::default(),
        };
        // The others follow when they are looked at next.
        member.weigh(weight);
        state.members.insert(number, member);
        drop(state);
        Membership { owners: self.owners.clone(), number }
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.owners.give_back(&self.owner, self.promised);
    }
}

impl Membership {
    /// Something in the sandbox is waited for from now on, and is promised `limits`. Waits for room as
    /// [`Owners::promise_by`] does; with `latest` in the past, not at all.
    ///
    /// # Errors
    /// [`Overcommitted`].
    pub async fn activate(
        &self,
        limits: SandboxLimits,
        latest: Option<Instant>,
    ) -> Result<(), Overcommitted> {
        let wanted = Footprint::of(limits);
        let woken = self.owners.when_there_is_room(latest, || self.try_activate(wanted)).await?;
        if woken.is_held {
            // Also when who wanted it goes away, or it would stay so.
            let (owners, number) = (self.owners.clone(), self.number);
            let _ = tokio::spawn(async move { owners.tell_limits(number).await }).await;
        }
        if let Some(sandbox) = woken.frozen {
            // Also when who wanted it goes away: the next one finds it active. Whatever is wrong with it will be seen by
            // whoever uses it.
            let _ = tokio::spawn(async move { sandbox.resume().await }).await;
            if let Some(member) = self.owners.lock().members.get_mut(&self.number) {
                member.seen = Instant::now();
            }
        }
        Ok(())
    }

    fn try_activate(&self, wanted: Footprint) -> Result<Woken, Overcommitted> {
        let mut state = self.owners.lock();
        let State { ledger, members, .. } = &mut *state;
        let Some(member) = members.get_mut(&self.number) else {
            return Ok(Woken::default());
        };
        let wanted = match member.stage {
            Stage::Active => wanted.larger_of(member.promised.footprint),
            Stage::Idle => wanted,
        };
        let promised = Promised { footprint: wanted, active: true };
        ledger.promise(&member.owner, member.promised, promised)?;
        member.promised = promised;
        member.most = member.most.larger_of(wanted);
        let stage = std::mem::replace(&mut member.stage, Stage::Active);
        let stands_still = self.owners.0.rules.background == Background::Frozen || member.paused;
        let is_frozen = stage == Stage::Idle && stands_still;
        member.paused = false;
        // Before what is to be waited for begins, it has to be resumed, which may take its time.
        member.seen = Instant::now() + if is_frozen { RESUMING } else { Duration::ZERO };
        let frozen = is_frozen.then(|| Arc::clone(&member.sandbox));
        let is_held = member.idle_limits.lift();
        if stage != Stage::Active {
            let owner = member.owner.clone();
            let weight = each_of(state.busy_beside(self.number, &owner) + 1);
            if let Some(member) = state.members.get_mut(&self.number) {
                member.computes = true;
                member.weigh(weight);
            }
        }
        Ok(Woken { frozen, is_held })
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let removed = self.owners.lock().members.remove(&self.number);
        if let Some(member) = removed {
            self.owners.give_back(&member.owner, member.promised);
        }
    }
}

impl Owners {
    fn give_back(&self, owner: &str, promised: Promised) {
        if promised == Promised::default() {
            return;
        }
        self.lock().ledger.note(owner, promised, Promised::default());
        self.0.room.notify_waiters();
    }
}
