//! Another user, who computes something ten times a second all the while, and must not notice.

mod question;
mod times;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hyper::Method;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::caller::Caller;
use super::judge::{Objection, Rule};
use super::secrets::Secrets;
use super::service::asked;
use super::trouble::Trouble;
pub use question::Question;
pub use times::Times;

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
    asker: Arc<Asker>,
    running: Option<(JoinHandle<()>, CancellationToken)>,
    before: Times,
}

/// Who asks, what, and what came of it.
struct Asker {
    caller: Caller,
    token: String,
    question: Question,
    patience: f64,
    watched: Mutex<Watched>,
}

#[derive(Default)]
struct Watched {
    asked: u64,
    allowed: Duration,
    took: Vec<Duration>,
    objections: Vec<Objection>,
}

impl Bystander {
    /// Opens a session in the first of Python, Node and Bash that is here, with secrets in a file
    /// and in the environment. `None` where none of them is.
    ///
    /// # Errors
    /// [`Trouble`], when the service does not give it one.
    pub async fn arrive(
        caller: &Caller,
        token: &str,
        languages: &[String],
        secrets: &mut Secrets,
        patience: f64,
    ) -> Result<Option<Self>, Trouble> {
        let here = |name: &&str| languages.iter().any(|language| language == name);
        let Some(language) = ["python", "node", "bash"].into_iter().find(here) else {
            return Ok(None);
        };
        let limit = CALL.mul_f64(patience);
        let note = secrets.make("file of another user");
        let env = json!({"NOTE": secrets.make("environment of another user")});
        let new = json!({"language": language, "ttl": 86_400, "env": env});
        let made = asked(caller, Method::POST, SESSIONS, Some(token), Some(&new), limit).await?;
        let session = String::from(made["session_id"].as_str().unwrap_or_default());
        let question = Question { language, session: session.clone(), note: note.len() };
        let (mut first, _) = question.number(0);
        first["files"] = json!({"note": note});
        let ran = asked(caller, Method::POST, RUN, Some(token), Some(&first), limit).await?;
        let execution = String::from(ran["execution_id"].as_str().unwrap_or_default());
        let watched = Watched { allowed: ALLOWED.mul_f64(patience), ..Watched::default() };
        let asker = Asker {
            caller: caller.clone(),
            token: String::from(token),
            question,
            patience,
            watched: Mutex::new(watched),
        };
        let before = Times::default();
        Ok(Some(Self { session, execution, asker: Arc::new(asker), running: None, before }))
    }

    /// Measures how long it usually takes, while nothing else runs.
    pub async fn get_used(&mut self) {
        self.go_on();
        tokio::time::sleep(BEFORE.mul_f64(self.asker.patience)).await;
        self.pause().await;
        let mut watched = self.asker.watched();
        self.before = Times::of(&std::mem::take(&mut watched.took));
        let usual = Duration::from_secs_f64(self.before.p50_ms / 1000.0);
        watched.allowed = watched.allowed.max(usual.mul_f64(self.asker.patience) * SLOWER);
    }

    /// Goes on asking until [`Bystander::pause`].
    pub fn go_on(&mut self) {
        let (asker, stop) = (Arc::clone(&self.asker), CancellationToken::new());
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            while !stopped.is_cancelled() {
                let begun = Instant::now();
                asker.ask().await;
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
    pub fn objections(&self) -> Vec<Objection> {
        std::mem::take(&mut self.asker.watched().objections)
    }

    /// How long its answers took before the attacks, and since.
    pub fn times(&self) -> (Times, Times) {
        (self.before, Times::of(&self.asker.watched().took))
    }
}

impl Asker {
    async fn ask(&self) {
        let (number, allowed) = {
            let mut watched = self.watched();
            watched.asked += 1;
            (watched.asked, watched.allowed)
        };
        let (body, right) = self.question.number(number);
        let limit = CALL.mul_f64(self.patience).max(allowed * 2);
        let begun = Instant::now();
        let token = Some(self.token.as_str());
        let answer = self.caller.json(Method::POST, RUN, token, Some(&body), limit).await;
        let took = begun.elapsed();
        let seen = match answer {
            Err(error) => Some(error.to_string()),
            Ok(reply) if reply.json["stdout"] != right.as_str() => Some(reply.text),
            Ok(_) if took > allowed => Some(format!("it after {} ms", took.as_millis())),
            Ok(_) => None,
        };
        let mut watched = self.watched();
        watched.took.push(took);
        watched.objections.extend(seen.map(|seen| {
            let within = allowed.as_millis();
            Objection::new(Rule::Bystander, format!("{right:?} within {within} ms"), seen)
        }));
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
