//! What goes on at once in one sandbox, and whose figures therefore are not one's own alone.
//!
//! A sandbox has one account. Where two things use it at the same time, each is told that its figures are
//! shared, and neither is stopped for what the other has used.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::sandbox::spec::SandboxLimits;

/// Everything that goes on in one sandbox. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Activity(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    going_on: BTreeMap<u64, Member>,
    last: u64,
}

#[derive(Debug)]
struct Member {
    what: What,
    shared: bool,
    /// Processor time that all together may use which went on beside this one, itself included;
    /// `None` once one without such a limit was among them.
    cpu: Option<Duration>,
    /// Somebody waits for its end.
    awaited: bool,
    /// It has to stop: the owner's sandboxes hold too much.
    evicted: bool,
}

/// What it is.
#[derive(Clone, Copy, Debug)]
pub enum What {
    /// A run, which is watched.
    Run {
        /// Processor time that it may use.
        cpu: Duration,
        /// What it wants the sandbox to be allowed.
        sandbox: SandboxLimits,
    },
    /// A command, which may use what the sandbox may.
    Command,
}

impl What {
    fn cpu(self) -> Option<Duration> {
        match self {
            Self::Run { cpu, sandbox: _ } => Some(cpu),
            Self::Command => None,
        }
    }

    fn sandbox(self) -> Option<SandboxLimits> {
        match self {
            Self::Run { cpu: _, sandbox } => Some(sandbox),
            Self::Command => None,
        }
    }
}

/// One thing that goes on. It has ended when this is dropped.
#[derive(Debug)]
pub struct Share {
    activity: Activity,
    number: u64,
}

impl Activity {
    /// One more thing begins.
    pub fn begin(&self, what: What) -> Share {
        let mut state = self.lock();
        let shared = !state.going_on.is_empty();
        let mut own = Member { what, shared, cpu: what.cpu(), awaited: true, evicted: false };
        for other in state.going_on.values_mut() {
            other.shared = true;
            other.cpu = sum(other.cpu, what.cpu());
            own.cpu = sum(own.cpu, other.what.cpu());
        }
        state.last += 1;
        let number = state.last;
        state.going_on.insert(number, own);
        Share { activity: self.clone(), number }
    }

    /// Whether something goes on that somebody waits for.
    pub fn is_awaited(&self) -> bool {
        self.lock().going_on.values().any(|member| member.awaited)
    }

    /// Has every run that goes on stop.
    pub fn evict(&self) {
        self.lock().going_on.values_mut().for_each(|member| member.evicted = true);
    }

    /// Whether a run goes on.
    pub fn has_runs(&self) -> bool {
        self.lock().going_on.values().any(|member| matches!(member.what, What::Run { .. }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Whether this has to stop, because its owner's sandboxes hold too much.
    pub fn is_evicted(&self) -> bool {
        self.lock().going_on.get(&self.number).is_some_and(|own| own.evicted)
    }

    /// Whether anything else has gone on meanwhile.
    pub fn is_shared(&self) -> bool {
        self.lock().going_on.get(&self.number).is_some_and(|own| own.shared)
    }

    /// Nobody waits for its end any more.
    pub fn abandon(&self) {
        if let Some(own) = self.lock().going_on.get_mut(&self.number) {
            own.awaited = false;
        }
    }

    /// Processor time that the sandbox may use while this goes on, before this must be stopped for it; `None`
    /// when nobody can tell whose it is.
    pub fn cpu_allowance(&self) -> Option<Duration> {
        self.lock().going_on.get(&self.number).and_then(|own| own.cpu)
    }

    /// The limits of the sandbox that suffice for all other runs that go on now; `None` when there are none.
    pub fn limits_of_others(&self) -> Option<SandboxLimits> {
        let state = self.lock();
        let others = state.going_on.iter().filter(|(number, _)| **number != self.number);
        others.filter_map(|(_, member)| member.what.sandbox()).reduce(SandboxLimits::larger_of)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.activity.lock()
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.lock().going_on.remove(&self.number);
    }
}

fn sum(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    Some(one?.saturating_add(other?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn run(cpu: Duration, memory_bytes: u64) -> What {
        let sandbox = SandboxLimits {
            memory_bytes,
            processes: 1,
            disk_bytes: 1,
            inodes: 1,
            open_files: 1,
            milli_cpus: 1,
        };
        What::Run { cpu, sandbox }
    }

    #[test]
    fn who_runs_alone_answers_for_all_and_who_does_not_for_the_sum() {
        let activity = Activity::default();
        let first = activity.begin(run(SECOND, 1));
        assert!(!first.is_shared() && first.cpu_allowance() == Some(SECOND));
        let second = activity.begin(run(2 * SECOND, 1));
        assert!(first.is_shared() && second.is_shared());
        assert_eq!(first.cpu_allowance(), Some(3 * SECOND));
        assert_eq!(second.cpu_allowance(), Some(3 * SECOND));
        drop(second);
        assert!(first.is_shared(), "it was, which its figures show");
        let third = activity.begin(run(SECOND, 1));
        assert_eq!(third.cpu_allowance(), Some(2 * SECOND), "only what it has met counts");
        drop((first, third));
        assert!(!activity.is_awaited() && !activity.has_runs());
    }

    #[test]
    fn who_has_to_stop_is_who_goes_on_then() {
        let activity = Activity::default();
        let first = activity.begin(run(SECOND, 1));
        activity.evict();
        let second = activity.begin(run(SECOND, 1));
        assert!(first.is_evicted() && !second.is_evicted());
    }

    #[test]
    fn beside_a_command_nobody_can_tell_whose_time_it_was() {
        let activity = Activity::default();
        let first = activity.begin(run(SECOND, 1));
        let command = activity.begin(What::Command);
        let last = activity.begin(run(SECOND, 1));
        assert_eq!((first.cpu_allowance(), last.cpu_allowance()), (None, None));
        drop((first, last));
        assert!(activity.is_awaited() && !activity.has_runs());
        command.abandon();
        assert!(!activity.is_awaited());
    }

    #[test]
    fn the_sandbox_is_allowed_what_the_most_demanding_run_is() {
        let activity = Activity::default();
        let memory = |share: &Share| share.limits_of_others().map(|limits| limits.memory_bytes);
        let first = activity.begin(run(SECOND, 100));
        let _command = activity.begin(What::Command);
        assert_eq!(memory(&first), None);
        let second = activity.begin(run(SECOND, 50));
        let third = activity.begin(run(SECOND, 70));
        assert_eq!((memory(&first), memory(&second)), (Some(70), Some(100)));
        drop(first);
        assert_eq!(memory(&third), Some(50));
    }
}
