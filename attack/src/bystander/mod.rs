//! Another user, who computes something ten times a second all the while, and must not notice.

mod latencies;
mod probe;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hyper::Method;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::canaries::Canaries;
use super::error::AttackError;
use super::http::Client;
use super::judge::{Rule, Violation};
use super::service::call;
pub use latencies::Latencies;
pub use probe::Probe;

/// Between the beginnings of two runs.
const EVERY: Duration = Duration::from_millis(100);
/// How long its usual time is measured.
const BEFORE: Duration = Duration::from_secs(3);
/// An answer may take as many times the usual as this, ...
const SLOWER: u32 = 20;
/// ... and this in any case: two processors are shared with whatever the attack may use.
const ALLOWED: Duration = Duration::from_secs(2);
/// Longer than any answer takes that comes at all.
const CALL: Duration = Duration::from_secs(60);

const SESSIONS: &str = "/v1/code_interpreter/sessions";
const RUN: &str = "/v1/code_interpreter/run";

/// The other user, with a session.
pub struct Bystander {
    /// Its session.
    pub session: String,
    /// An execution of its own.
    pub execution: String,
    poller: Arc<Poller>,
    running: Option<(JoinHandle<()>, CancellationToken)>,
    before: Latencies,
}

/// Who asks, what, and what came of it.
struct Poller {
    client: Client,
    token: String,
    probe: Probe,
    patience: f64,
    observations: Mutex<Observations>,
}

#[derive(Default)]
struct Observations {
    asked: u64,
    allowed: Duration,
    took: Vec<Duration>,
    violations: Vec<Violation>,
}

impl Bystander {
    /// Opens a session in the first of Python, Node and Bash that is here, with secrets in a file
    /// and in the environment. `None` where none of them is.
    ///
    /// # Errors
    /// [`AttackError`], when the service does not give it one.
    pub async fn start_session(
        client: &Client,
        token: &str,
        languages: &[String],
        canaries: &mut Canaries,
        patience: f64,
    ) -> Result<Option<Self>, AttackError> {
        let here = |name: &&str| languages.iter().any(|language| language == name);
        let Some(language) = ["python", "node", "bash"].into_iter().find(here) else {
            return Ok(None);
        };
        let limit = CALL.mul_f64(patience);
        let note = canaries.plant("file of another user");
        let env = json!({"NOTE": canaries.plant("environment of another user")});
        let new = json!({"language": language, "ttl": 86_400, "env": env});
        let made = call(client, Method::POST, SESSIONS, Some(token), Some(&new), limit).await?;
        let session = String::from(made["session_id"].as_str().unwrap_or_default());
        let probe = Probe { language, session: session.clone(), note: note.len() };
        let (mut first, _) = probe.number(0);
        first["files"] = json!({"note": note});
        let ran = call(client, Method::POST, RUN, Some(token), Some(&first), limit).await?;
        let execution = String::from(ran["execution_id"].as_str().unwrap_or_default());
        let observed =
            Observations { allowed: ALLOWED.mul_f64(patience), ..Observations::default() };
        let poller = Poller {
            client: client.clone(),
            token: String::from(token),
            probe,
            patience,
            observations: Mutex::new(observed),
        };
        let before = Latencies::default();
        Ok(Some(Self { session, execution, poller: Arc::new(poller), running: None, before }))
    }

    /// Measures how long it usually takes, while nothing else runs.
    pub async fn measure_baseline(&mut self) {
        self.resume();
        tokio::time::sleep(BEFORE.mul_f64(self.poller.patience)).await;
        self.pause().await;
        let mut observed = self.poller.observations();
        self.before = Latencies::of(&std::mem::take(&mut observed.took));
        let usual = Duration::from_secs_f64(self.before.p50_ms / 1000.0);
        observed.allowed = observed.allowed.max(usual.mul_f64(self.poller.patience) * SLOWER);
    }

    /// Goes on asking until [`Bystander::pause`].
    pub fn resume(&mut self) {
        let (poller, stop) = (Arc::clone(&self.poller), CancellationToken::new());
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            while !stopped.is_cancelled() {
                let begun = Instant::now();
                poller.poll().await;
                tokio::select! {
                    () = tokio::time::sleep(EVERY.saturating_sub(begun.elapsed())) => {}
                    () = stopped.cancelled() => {}
                }
            }
        });
        self.running = Some((task, stop));
    }

    /// Returns when its last answer is there.
    pub async fn pause(&mut self) {
        if let Some((task, stop)) = self.running.take() {
            stop.cancel();
            // A task that panicked has asked nothing since, which the figures show.
            let _ = task.await;
        }
    }

    /// What was wrong since the last time this was asked.
    pub fn violations(&self) -> Vec<Violation> {
        std::mem::take(&mut self.poller.observations().violations)
    }

    /// How long its answers took before the attacks, and since.
    pub fn latencies(&self) -> (Latencies, Latencies) {
        (self.before, Latencies::of(&self.poller.observations().took))
    }
}

impl Poller {
    async fn poll(&self) {
        let (number, allowed) = {
            let mut observed = self.observations();
            observed.asked += 1;
            (observed.asked, observed.allowed)
        };
        let (body, right) = self.probe.number(number);
        let limit = CALL.mul_f64(self.patience).max(allowed * 2);
        let begun = Instant::now();
        let token = Some(self.token.as_str());
        let answer = self.client.json(Method::POST, RUN, token, Some(&body), limit).await;
        let took = begun.elapsed();
        let seen = match answer {
            Err(error) => Some(error.to_string()),
            Ok(reply) if reply.json["stdout"] != right.as_str() => Some(reply.text),
            Ok(_) if took > allowed => Some(format!("it after {} ms", took.as_millis())),
            Ok(_) => None,
        };
        let mut observed = self.observations();
        observed.took.push(took);
        observed.violations.extend(seen.map(|seen| {
            let within = allowed.as_millis();
            Violation::new(Rule::Bystander, format!("{right:?} within {within} ms"), seen)
        }));
    }

    fn observations(&self) -> MutexGuard<'_, Observations> {
        self.observations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
