//! The machine that the service of our own is on.

use std::time::{Duration, Instant};

use hyper::Method;

use super::inventory::unaccounted;
use crate::error::AttackError;
use crate::http::Client;
use crate::judge::{Rule, Violation};
use crate::leaks::{ResourceCounts, RunningService};

/// How long after an attack something may still be on its way out.
const SETTLE: Duration = Duration::from_secs(8);
/// How long a service may take to come to rest at all.
const REST: Duration = Duration::from_secs(60);

/// What was there before.
pub(super) struct Baseline {
    service: RunningService,
    /// Before everything.
    first: ResourceCounts,
    /// Before the next entry: what one has left is not blamed on the next.
    last: ResourceCounts,
    metrics: Client,
    patience: f64,
}

/// Between two looks at the metrics.
const POLL: Duration = Duration::from_millis(200);

impl Baseline {
    /// Looks at it at rest.
    pub(super) fn of(
        service: RunningService,
        metrics: Client,
        patience: f64,
    ) -> Result<Self, AttackError> {
        let first = ResourceCounts::when_idle(&service, REST.mul_f64(patience))
            .ok_or_else(|| AttackError::NeverIdle(service.data.clone()))?;
        Ok(Self { service, last: first.clone(), first, metrics, patience })
    }

    /// What cannot be read here.
    pub(super) fn not_looked_at(&self) -> Vec<String> {
        self.first.not_looked_at.iter().cloned().collect()
    }

    /// What the last entry has left.
    pub(super) fn left_behind(&mut self) -> Vec<Violation> {
        let left = ResourceCounts::settle(&self.last, &self.service, SETTLE.mul_f64(self.patience));
        if !left.is_empty() {
            self.last = ResourceCounts::now(&self.service);
        }
        violations(left)
    }

    /// What all of them have left.
    pub(super) fn left_after_all(&self) -> Vec<Violation> {
        violations(ResourceCounts::settle(
            &self.first,
            &self.service,
            SETTLE.mul_f64(self.patience),
        ))
    }

    /// What the service's own two accounts differ in when nothing runs; `None` where it keeps none.
    /// The text that says so comes with it.
    pub(super) async fn unaccounted(&self) -> (Option<Vec<Violation>>, String) {
        let patience = SETTLE.mul_f64(self.patience);
        let deadline = Instant::now() + patience;
        loop {
            let reply = self.metrics.json(Method::GET, "/metrics", None, None, patience).await;
            let text = reply.map(|reply| reply.text).unwrap_or_default();
            match unaccounted(&text) {
                Some(more) if !more.is_empty() && Instant::now() < deadline => {
                    tokio::time::sleep(POLL).await;
                }
                found => return (found.map(violations), text),
            }
        }
    }
}

fn violations(left: Vec<String>) -> Vec<Violation> {
    left.into_iter().map(|left| Violation::new(Rule::Remained, "as before", left)).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn what_one_entry_leaves_is_blamed_on_it_and_again_on_all_of_them_and_on_no_other() {
        let data = tempfile::tempdir().expect("a directory");
        // Stands for a launcher; what it starts is below it.
        let mut launcher = Command::new("sh")
            .args(["-c", "read _; sleep 600 & read _; kill $!"])
            .stdin(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut stdin = launcher.stdin.take().expect("it is piped");
        let service = RunningService { launcher: launcher.id(), data: data.path().to_owned() };
        let nobody = Client::new(String::from("127.0.0.1:1"));
        let mut baseline = Baseline::of(service, nobody, 1.0).expect("it rests");
        baseline.patience = 0.05;
        let before = baseline.left_behind();
        stdin.write_all(b"\n").expect("it reads");
        std::fs::write(data.path().join("left"), "12345").expect("written");

        // Both are there by then: a process that is late would be blamed on the next.
        while ResourceCounts::now(&baseline.service).since(&baseline.first).len() < 3 {
            std::thread::sleep(Duration::from_millis(10));
        }
        let left = baseline.left_behind();
        let next = baseline.left_behind();
        let all = baseline.left_after_all();
        stdin.write_all(b"\n").expect("it reads");
        launcher.wait().expect("it ends");

        assert_eq!(before, []);
        let seen: Vec<&str> = left.iter().map(|violation| violation.seen.as_str()).collect();
        assert!(left.iter().all(|violation| violation.rule == Rule::Remained));
        assert!(seen.iter().any(|seen| seen.contains("sleep 1 before 0")), "{seen:?}");
        assert!(seen.contains(&"5 bytes of data, before 0"), "{seen:?}");
        assert_eq!(next, []);
        assert_eq!(all, left);
    }
}
