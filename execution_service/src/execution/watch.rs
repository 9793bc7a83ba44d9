//! Looks at what a running program uses, where the kernel does not stop it by itself.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::sandbox::backend::{Excess, Sandbox, SandboxError};
use crate::sandbox::spec::Usage;

use super::ending::{Stop, UNWATCHED_AFTER};
use super::outcome::Accounting;
use super::rules::Rules;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);
/// Returns when the program must be stopped, and why.
///
/// # Errors
/// When the account cannot be had for a reason of ours.
pub async fn watch(sandbox: &dyn Sandbox, rules: &Rules<'_>) -> Result<Stop, SandboxError> {
    let mut seen = Instant::now();
    // First what earlier runs of a session may have left.
    let mut excess = sandbox.excess(UNWATCHED_AFTER).await;
    loop {
        if let Some(excess) = excess {
            return Ok(beyond(excess));
        }
        sleep(PAUSE).await;
        // At once, or an inside that does not answer would be waited for twice.
        let (held, usage) =
            tokio::join!(sandbox.excess(UNWATCHED_AFTER), sandbox.usage(UNWATCHED_AFTER));
        let usage = usage?;
        excess = held;
        if usage.whole {
            seen = Instant::now();
        }
        if let Some(stop) = over_limit(usage, seen.elapsed(), rules) {
            return Ok(stop);
        }
    }
}

/// Why a program has to stop that holds too much of this.
fn beyond(excess: Excess) -> Stop {
    match excess {
        Excess::Memory => Stop::Memory,
        Excess::Locks => Stop::Locks,
        Excess::Files => Stop::Files,
    }
}

/// Of the sandbox: the largest of all runs that go on in it.
fn memory_limit(rules: &Rules<'_>) -> u64 {
    let own = rules.limits.sandbox;
    rules.share.limits_of_others().map_or(own, |others| own.larger_of(others)).memory_bytes
}

/// Why a program has to stop of which this is known, all of it `blind` ago.
fn over_limit(usage: Usage, blind: Duration, rules: &Rules<'_>) -> Option<Stop> {
    if rules.share.is_evicted() {
        return Some(Stop::Memory);
    }
    let used = usage.cpu.saturating_sub(rules.before.cpu);
    if rules.share.cpu_allowance().is_some_and(|allowance| used > allowance) {
        return Some(Stop::Cpu);
    }
    let watched = rules.accounting == Accounting::BestEffort;
    if watched && usage.memory_bytes > memory_limit(rules) {
        return Some(Stop::Memory);
    }
    // What nobody can see is not taken for nothing.
    (!usage.whole && blind >= UNWATCHED_AFTER).then_some(Stop::Unwatched)
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::execution::limits::Limits;
    use crate::execution::sharing::{Activity, What};
    use crate::sandbox::spec::SandboxLimits;

    #[test]
    fn what_cannot_be_seen_is_not_within_the_limits() {
        let sandbox = SandboxLimits {
            memory_bytes: 100,
            processes: 1,
            disk_bytes: 1,
            inodes: 1,
            open_files: 1,
            milli_cpus: 1,
        };
        let second = Duration::from_secs(1);
        let limits = Limits { wall: second, cpu: second, output_bytes: 1, sandbox };
        let cancelled = CancellationToken::new();
        let share = Activity::default().begin(What::Run { cpu: second, sandbox });
        let rules = Rules {
            large: None,
            limits: &limits,
            hard_output: 1,
            accounting: Accounting::BestEffort,
            before: Usage::default(),
            share: &share,
            cancelled: &cancelled,
            handle: None,
        };
        let seen = Usage { whole: true, ..Usage::default() };
        let moment = Duration::from_millis(20);
        assert_eq!(over_limit(seen, moment, &rules), None);
        assert_eq!(over_limit(Usage { cpu: 2 * second, ..seen }, moment, &rules), Some(Stop::Cpu));
        let much = Usage { memory_bytes: 101, ..seen };
        assert_eq!(over_limit(much, moment, &rules), Some(Stop::Memory));
        assert_eq!(beyond(Excess::Locks), Stop::Locks);
        assert_eq!(over_limit(Usage::default(), moment, &rules), None, "it may yet be seen");
        assert_eq!(over_limit(Usage::default(), UNWATCHED_AFTER, &rules), Some(Stop::Unwatched));
    }
}
