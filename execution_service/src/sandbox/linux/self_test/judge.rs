//! From what came of the attempts to the state of each wall.

use std::collections::HashMap;

use nix::errno::Errno;
use nix::sys::signal::Signal;

use super::row::{Must, Row};
use super::table::WALLS;
use super::{Host, remedy};
use crate::sandbox::isolation::{Isolation, Wall, WallState};
use crate::sandbox::linux::probe::{Finding, Outcome};

/// An attempt by name, and what must come of it.
type Evidence<'a> = &'a (&'static str, Must);

/// Everything that a judgement rests on.
pub struct Case<'a> {
    /// What came of the attempts inside, by their names.
    inside: HashMap<&'a str, &'a Outcome>,
    /// What the worker sees of itself.
    worker: HashMap<&'a str, &'a Outcome>,
    host: &'a Host,
    /// Why some attempts have not been made.
    trouble: &'a [String],
}

fn by_name(findings: &[Finding]) -> HashMap<&str, &Outcome> {
    findings.iter().map(|finding| (finding.attempt.as_str(), &finding.outcome)).collect()
}

impl<'a> Case<'a> {
    /// Brings it together.
    pub fn new(
        inside: &'a [Finding],
        worker: &'a [Finding],
        host: &'a Host,
        trouble: &'a [String],
    ) -> Self {
        Self { inside: by_name(inside), worker: by_name(worker), host, trouble }
    }

    /// All walls.
    pub fn judge(&self) -> Isolation {
        Isolation { walls: WALLS.iter().map(|row| self.wall(row)).collect() }
    }

    fn wall(&self, row: &Row) -> Wall {
        // What cannot be seen speaks neither for a wall nor against it.
        let (invisible, visible): (Vec<Evidence<'_>>, Vec<_>) =
            row.evidence.iter().partition(|(attempt, must)| self.invisible(attempt, *must));
        let against: Vec<Evidence<'_>> =
            visible.iter().copied().filter(|(attempt, must)| !self.holds(attempt, *must)).collect();
        let (state, seen, remedy): (_, _, fn() -> String) = if visible.is_empty() {
            let (attempt, _) = invisible[0];
            let seen = format!("asked of the kernel; without a /proc the {attempt} cannot be seen");
            (WallState::BestEffort, seen, remedy::proc)
        } else if against.is_empty() {
            (WallState::Enforced, self.summary(&visible), row.remedy)
        } else if let Some((state, seen)) = (row.instead)(self.host) {
            (state, seen, row.remedy)
        } else {
            (WallState::Missing, self.complaint(&against), row.remedy)
        };
        let remedy = (state != WallState::Enforced).then(remedy);
        Wall { name: row.wall, state, need: row.need, tried: row.tried, seen, remedy }
    }

    fn holds(&self, attempt: &str, must: Must) -> bool {
        let Some(outcome) = self.inside.get(attempt).copied() else {
            return false;
        };
        match (must, outcome) {
            (Must::BeRefused(numbers) | Must::BeStopped(numbers), Outcome::Refused(number)) => {
                numbers.contains(number)
            }
            (Must::BeKilled(signals), Outcome::Killed(signal)) => signals.contains(signal),
            (Must::BeStopped(_), Outcome::Killed(signal)) => *signal == libc::SIGKILL,
            (Must::Show(texts), Outcome::Seen(text)) => texts.contains(&text.as_str()),
            (Must::Differ, Outcome::Seen(_)) => {
                self.worker.get(attempt).is_some_and(|ours| *ours != outcome)
            }
            (Must::AtLeast(least), Outcome::Counted(count)) => *count >= least,
            (Must::AtMost(most), Outcome::Counted(count)) => *count <= most,
            (Must::Succeed, Outcome::Done) => true,
            _ => false,
        }
    }

    /// Whether only the lack of a `/proc` keeps it from being seen.
    fn invisible(&self, attempt: &str, must: Must) -> bool {
        let absent = Outcome::Refused(libc::ENOENT);
        !self.host.fresh_proc
            && matches!(must, Must::Differ)
            && self.inside.get(attempt).is_some_and(|outcome| **outcome == absent)
    }

    fn summary(&self, evidence: &[Evidence<'_>]) -> String {
        /// More than these are counted and not listed.
        const LISTED: usize = 4;
        if evidence.len() > LISTED {
            return format!("all {} attempts came to what they must", evidence.len());
        }
        let each = |(attempt, must): &Evidence<'_>| {
            let ours = self.worker.get(attempt).filter(|_| matches!(must, Must::Differ));
            let ours = ours.map(|ours| format!(", the worker's is {}", describe(ours)));
            format!("{attempt}: {}{}", self.outcome(attempt), ours.unwrap_or_default())
        };
        evidence.iter().map(each).collect::<Vec<_>>().join("; ")
    }

    fn complaint(&self, against: &[Evidence<'_>]) -> String {
        /// Enough to know what is wrong.
        const LISTED: usize = 6;
        let each = |(attempt, must): &Evidence<'_>| {
            format!("{attempt}: {} (must {})", self.outcome(attempt), expectation(*must))
        };
        let mut listed: Vec<String> = against.iter().take(LISTED).map(each).collect();
        if against.len() > LISTED {
            listed.push(format!("and {} more", against.len() - LISTED));
        }
        listed.join("; ")
    }

    fn outcome(&self, attempt: &str) -> String {
        match self.inside.get(attempt) {
            None if self.trouble.is_empty() => String::from("not tried"),
            None => format!("not tried, as {}", self.trouble.join(", ")),
            Some(outcome) => describe(outcome),
        }
    }
}

fn describe(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done => String::from("succeeded"),
        Outcome::Refused(number) => error_name(*number),
        Outcome::Killed(signal) => signal_name(*signal),
        Outcome::Seen(text) if text.is_empty() => String::from("nothing"),
        Outcome::Seen(text) => text.clone(),
        Outcome::Counted(count) => count.to_string(),
    }
}

fn expectation(must: Must) -> String {
    let errors = |numbers: &[i32]| join(numbers.iter().map(|number| error_name(*number)));
    match must {
        Must::BeRefused(numbers) => format!("be {}", errors(numbers)),
        Must::BeKilled(signals) => {
            format!("be {}", join(signals.iter().map(|signal| signal_name(*signal))))
        }
        Must::BeStopped(numbers) => format!("be SIGKILL or {}", errors(numbers)),
        Must::Show(texts) => format!("be {}", join(texts.iter().map(|text| (*text).to_owned()))),
        Must::Differ => String::from("not be the worker's"),
        Must::AtLeast(least) => format!("be {least} or more"),
        Must::AtMost(most) => format!("be {most} or less"),
        Must::Succeed => String::from("succeed"),
    }
}

fn join(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(" or ")
}

fn error_name(number: i32) -> String {
    format!("{:?}", Errno::from_raw(number))
}

fn signal_name(number: i32) -> String {
    Signal::try_from(number)
        .map_or_else(|_| format!("signal {number}"), |signal| signal.to_string())
}
