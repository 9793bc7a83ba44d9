//! The machine that the service of our own is on.

use std::time::{Duration, Instant};

use hyper::Method;

use super::account::unaccounted;
use crate::caller::Caller;
use crate::judge::{Objection, Rule};
use crate::remains::{Place, Remains};
use crate::trouble::Trouble;

/// How long after an attack something may still be on its way out.
const SETTLE: Duration = Duration::from_secs(8);
/// How long a service may take to come to rest at all.
const REST: Duration = Duration::from_secs(60);

/// What was there before.
pub(super) struct Ground {
    place: Place,
    /// Before everything.
    first: Remains,
    /// Before the next entry: what one has left is not blamed on the next.
    last: Remains,
    metrics: Caller,
    patience: f64,
}

/// Between two looks at the metrics.
const POLL: Duration = Duration::from_millis(200);

impl Ground {
    /// Looks at it at rest.
    pub(super) fn of(place: Place, metrics: Caller, patience: f64) -> Result<Self, Trouble> {
        let first = Remains::at_rest(&place, REST.mul_f64(patience))
            .ok_or_else(|| Trouble::Restless(place.data.clone()))?;
        Ok(Self { place, last: first.clone(), first, metrics, patience })
    }

    /// What cannot be read here.
    pub(super) fn not_looked_at(&self) -> Vec<String> {
        self.first.not_looked_at.iter().cloned().collect()
    }

    /// What the last entry has left.
    pub(super) fn left_behind(&mut self) -> Vec<Objection> {
        let left = Remains::settle(&self.last, &self.place, SETTLE.mul_f64(self.patience));
        if !left.is_empty() {
            self.last = Remains::now(&self.place);
        }
        objections(left)
    }

    /// What all of them have left.
    pub(super) fn left_after_all(&self) -> Vec<Objection> {
        objections(Remains::settle(&self.first, &self.place, SETTLE.mul_f64(self.patience)))
    }

    /// What the service's own two accounts differ in when nothing runs; `None` where it keeps none.
    /// The text that says so comes with it.
    pub(super) async fn unaccounted(&self) -> (Option<Vec<Objection>>, String) {
        let patience = SETTLE.mul_f64(self.patience);
        let deadline = Instant::now() + patience;
        loop {
            let reply = self.metrics.json(Method::GET, "/metrics", None, None, patience).await;
            let text = reply.map(|reply| reply.text).unwrap_or_default();
            match unaccounted(&text) {
                Some(more) if !more.is_empty() && Instant::now() < deadline => {
                    tokio::time::sleep(POLL).await;
                }
                found => return (found.map(objections), text),
            }
        }
    }
}

fn objections(left: Vec<String>) -> Vec<Objection> {
    left.into_iter().map(|left| Objection::new(Rule::Remained, "as before", left)).collect()
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
        let place = Place { launcher: launcher.id(), data: data.path().to_owned() };
        let nobody = Caller::new(String::from("127.0.0.1:1"));
        let mut ground = Ground::of(place, nobody, 1.0).expect("it rests");
        ground.patience = 0.05;
        let before = ground.left_behind();
        stdin.write_all(b"\n").expect("it reads");
        std::fs::write(data.path().join("left"), "12345").expect("written");

        // Both are there by then: a process that is late would be blamed on the next.
        while Remains::now(&ground.place).since(&ground.first).len() < 3 {
            std::thread::sleep(Duration::from_millis(10));
        }
        let left = ground.left_behind();
        let next = ground.left_behind();
        let all = ground.left_after_all();
        stdin.write_all(b"\n").expect("it reads");
        launcher.wait().expect("it ends");

        assert_eq!(before, []);
        let seen: Vec<&str> = left.iter().map(|objection| objection.seen.as_str()).collect();
        assert!(left.iter().all(|objection| objection.rule == Rule::Remained));
        assert!(seen.iter().any(|seen| seen.contains("sleep 1 before 0")), "{seen:?}");
        assert!(seen.contains(&"5 bytes of data, before 0"), "{seen:?}");
        assert_eq!(next, []);
        assert_eq!(all, left);
    }
}
