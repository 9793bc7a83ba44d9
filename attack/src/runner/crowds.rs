//! Playing an entry that is run in many sandboxes of one user, and asking another user how that feels.

use std::time::{Duration, Instant};

use futures::future::join_all;
use hyper::Method;
use serde_json::{Value, json};

use super::Outcome;
use super::fixtures::{Fixtures, RUN, SESSIONS};
use super::programs::{sound, unanswered};
use crate::corpus::Crowd;
use crate::judge::{Rule, Violation, Waits, crowd};

/// For the crowd to do what it does.
const SETTLE: Duration = Duration::from_secs(2);
/// Longer than any answer takes that comes at all.
const CALL: Duration = Duration::from_secs(90);
/// How often each of the other user's calls is made.
const BURNS: usize = 3;
const STEPS: usize = 20;

/// A program that computes for some tenths of a second, and what it prints.
const BURN: [(&str, &str, &str); 2] = [
    ("python", "x = 0\nfor i in range(3_000_000): x += i\nprint(x)", "4499998500000\n"),
    ("bash", "x=0; for ((i = 0; i < 60000; i++)); do ((x += i)); done; echo $x", "1799970000\n"),
];

impl Fixtures {
    /// Runs it in as many sessions as it is let, and compares what another user waits.
    pub(super) async fn crowd(&self, one: &Crowd) -> Outcome {
        let language = one.language.name();
        if !self.info.languages.iter().any(|here| here == language) {
            return Outcome::Skipped(format!("{language} not here"));
        }
        if self.accounts.other.is_none() {
            return Outcome::Skipped(String::from("another user not here"));
        }
        let first = self.beside(one).await;
        // A machine that has something else to do for a moment is not a finding: who is slow, is slow again.
        let slow = first.as_ref().is_ok_and(|violations| {
            let is_late = |violation: &Violation| violation.rule == Rule::Bystander;
            !violations.is_empty() && violations.iter().all(is_late)
        });
        let last = if slow { self.beside(one).await } else { first };
        Outcome::Ran(last.unwrap_or_else(|violation| vec![violation]))
    }

    async fn beside(&self, one: &Crowd) -> Result<Vec<Violation>, Violation> {
        let before = self.waits().await?;
        let sessions = self.sessions(one).await?;
        let body = |session: &String| {
            let timeout = (one.timeout * self.patience).min(self.info.max_timeout);
            json!({"language": one.language.name(), "session_id": session, "code": one.code,
                "timeout": timeout})
        };
        let runs = join_all(
            sessions.iter().map(|session| self.attacker(Method::POST, RUN, Some(body(session)))),
        );
        let looking = async {
            tokio::time::sleep(SETTLE).await;
            let during = self.waits().await;
            let ends = sessions.iter().map(async |session| {
                self.attacker(Method::DELETE, &format!("{SESSIONS}/{session}"), None).await
            });
            let ended = join_all(ends).await;
            (during, ended)
        };
        let (ran, (during, ended)) = tokio::join!(runs, looking);
        let mut violations: Vec<Violation> =
            ran.into_iter().chain(ended).filter_map(Result::err).collect();
        violations.extend(crowd(before, during?, self.info.cgroups));
        Ok(violations)
    }

    /// As many as there is room for.
    async fn sessions(&self, one: &Crowd) -> Result<Vec<String>, Violation> {
        let mut sessions = Vec::new();
        for _ in 0..one.sessions {
            let mut new = json!({"language": one.language.name(), "ttl": 3600});
            if let Some(limits) = &one.limits {
                new["limits"] = limits.clone();
            }
            match self.attacker(Method::POST, SESSIONS, Some(new)).await?["session_id"].as_str() {
                Some(id) => sessions.push(String::from(id)),
                None => break,
            }
        }
        if sessions.is_empty() {
            return Err(Violation::new(Rule::Status, "a session", "none"));
        }
        Ok(sessions)
    }

    /// A refusal is an answer; a fault is not.
    async fn attacker(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, Violation> {
        let token = Some(self.accounts.user.as_str());
        let limit = CALL.mul_f64(self.patience);
        let reply = self.client.json(method, path, token, body.as_ref(), limit).await;
        sound(reply.map_err(unanswered)?).map(|reply| reply.json)
    }

    /// Of each the one in the middle.
    async fn waits(&self) -> Result<Waits, Violation> {
        let here = |language: &str| self.info.languages.iter().any(|one| one == language);
        let burn = BURN.into_iter().find(|(language, ..)| here(language));
        let Some((language, code, printed)) = burn else {
            return Err(Violation::new(Rule::Unanswered, "Python or Bash", "neither"));
        };
        let new = json!({"language": language, "ttl": 3600});
        let made = self.other(SESSIONS, &new).await?;
        let session = made.0["session_id"].as_str().unwrap_or_default().to_owned();
        let mut burns = Vec::new();
        for _ in 0..BURNS {
            let (answer, took) =
                self.other(RUN, &json!({"language": language, "code": code})).await?;
            right(&answer, printed)?;
            burns.push(took);
        }
        let mut steps = Vec::new();
        for _ in 0..STEPS {
            let step = json!({"language": language, "session_id": session,
                "code": if language == "bash" { "echo 1" } else { "print(1)" }});
            let (answer, took) = self.other(RUN, &step).await?;
            right(&answer, "1\n")?;
            steps.push(took);
        }
        let (path, token) = (format!("{SESSIONS}/{session}"), self.accounts.other.as_deref());
        // What is not ended ends with its user.
        let _ = self.client.json(Method::DELETE, &path, token, None, CALL).await;
        Ok(Waits { burn: middle(burns), step: middle(steps) })
    }

    async fn other(&self, path: &str, body: &Value) -> Result<(Value, f64), Violation> {
        let token = self.accounts.other.as_deref();
        let begun = Instant::now();
        let limit = CALL.mul_f64(self.patience);
        let reply = self.client.json(Method::POST, path, token, Some(body), limit).await;
        let reply = reply.map_err(|error| failed(error.to_string()))?;
        let took = begun.elapsed().as_secs_f64();
        if reply.status >= 400 { Err(failed(reply.text)) } else { Ok((reply.json, took)) }
    }
}

fn right(answer: &Value, printed: &str) -> Result<(), Violation> {
    let is_right = answer["stdout"] == printed;
    if is_right { Ok(()) } else { Err(failed(answer.to_string())) }
}

fn failed(seen: String) -> Violation {
    Violation::new(Rule::Bystander, "an answer", seen)
}

fn middle(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}
