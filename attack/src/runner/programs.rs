//! Playing an entry that is run.

use std::time::Duration;

use hyper::Method;
use serde_json::{Map, Value, json};

use super::Outcome;
use super::fixtures::{Fixtures, RUN, SESSIONS};
use crate::corpus::{Program, Text};
use crate::http::{HttpError, Response};
use crate::judge::{Output, Rule, Violation, ordinary_refusal, program};

/// Seconds that an answer may take beyond the program's limit: a compiler has 30 of its own.
const BEYOND: f64 = 45.0;
/// Longest file, in bytes, that is looked into.
const READ: u64 = 64 << 10;
/// How often a run is tried that the service has no room for, as it says, for a moment.
const TRIES: usize = 5;
/// Fields that a session has, and the runs in it from there.
const OF_SESSIONS: [&str; 3] = ["env", "limits", "network"];
/// What a service says whose operator does not allow what a program wants to reach.
const NO_SUCH_NETWORK: &str = "network_refused";
/// Seconds to wait when it does not say how long.
const MOMENT: u64 = 1;

impl Fixtures {
    /// Runs it, and holds what comes back against what is expected.
    pub(super) async fn program(&self, one: &Program) -> Outcome {
        let language = one.language.name();
        if !self.info.languages.iter().any(|here| here == language) {
            return Outcome::Skipped(format!("{language} not here"));
        }
        if !one.needs.is_empty() {
            match self.missing(&one.needs).await {
                Ok(missing) if missing.is_empty() => {}
                Ok(missing) => {
                    return Outcome::Skipped(format!("{} not here", missing.join(", ")));
                }
                Err(why) => {
                    let wrong = Violation::new(Rule::Unanswered, "an answer", why.to_string());
                    return Outcome::Ran(vec![wrong]);
                }
            }
        }
        let mut output = Output::default();
        let refused = match &one.text {
            Text::Once(code) => self.step(&self.body(one, code), &mut output, one).await,
            Text::Steps(steps) => self.steps(one, steps, &mut output).await,
        };
        if output.status == NO_SUCH_NETWORK && one.fields.contains_key("network") {
            return Outcome::Skipped(String::from("EGRESS_ALLOW does not allow it"));
        }
        let expected = if self.info.cgroups { &one.expected } else { &one.without_cgroups };
        let mut violations = match refused {
            Ok(()) => program(&output, expected),
            Err(violation) => vec![violation],
        };
        violations.extend(self.canaries.found_in(&output.texts));
        Outcome::Ran(violations)
    }

    fn body(&self, one: &Program, code: &str) -> Map<String, Value> {
        let timeout = (one.timeout * self.patience).min(self.info.max_timeout);
        let mut body: Map<String, Value> =
            one.fields.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        body.insert(String::from("language"), json!(one.language.name()));
        body.insert(String::from("code"), json!(code));
        body.insert(String::from("timeout"), json!(timeout));
        body
    }

    /// One after the other in a session that is made for it. The session has the environment and
    /// the limits, the first step the files.
    async fn steps(
        &self,
        one: &Program,
        steps: &[String],
        output: &mut Output,
    ) -> Result<(), Violation> {
        let mut new = json!({"language": one.language.name(), "ttl": 3600});
        for field in OF_SESSIONS {
            if let Some(value) = one.fields.get(field) {
                new[field] = value.clone();
            }
        }
        let made = self.call_with_retry(Method::POST, SESSIONS, Some(&new), one).await?;
        let Some(id) = made.json["session_id"].as_str() else {
            if made.json["code"] == NO_SUCH_NETWORK {
                output.absorb(&made.json);
                return Ok(());
            }
            return Err(Violation::new(Rule::Status, "a session", made.text));
        };
        let mut played = Ok(());
        for (number, code) in steps.iter().enumerate() {
            let mut body = self.body(one, code);
            OF_SESSIONS.iter().for_each(|field| drop(body.remove(*field)));
            if number > 0 {
                body.remove("files");
            }
            body.insert(String::from("session_id"), json!(id));
            played = self.step(&body, output, one).await;
            if played.is_err() {
                break;
            }
        }
        // The program may have ended it: then there is none to delete.
        let path = format!("{SESSIONS}/{id}");
        self.call_with_retry(Method::DELETE, &path, None, one).await.and(played)
    }

    async fn step(
        &self,
        body: &Map<String, Value>,
        output: &mut Output,
        one: &Program,
    ) -> Result<(), Violation> {
        let reply = self
            .call_with_retry(Method::POST, RUN, Some(&Value::Object(body.clone())), one)
            .await?;
        output.absorb(&reply.json);
        self.artifacts(&reply.json, output, one).await
    }

    /// Fetches what the run has left: what must not be seen must not be in there either.
    async fn artifacts(
        &self,
        answer: &Value,
        output: &mut Output,
        one: &Program,
    ) -> Result<(), Violation> {
        let small = |file: &&Value| file["size"].as_u64().is_some_and(|size| size <= READ);
        let files = answer["artifacts"].as_array().into_iter().flatten().filter(small);
        for url in files.filter_map(|file| file["url"].as_str()) {
            let file = self.call_with_retry(Method::GET, url, None, one).await?;
            output.texts.push(file.text);
        }
        Ok(())
    }

    /// The attacker's call, as soon as there is room for it. A refusal is an answer, too; a fault
    /// is not.
    async fn call_with_retry(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        one: &Program,
    ) -> Result<Response, Violation> {
        let limit = Duration::from_secs_f64((one.timeout + BEYOND) * self.patience);
        let token = Some(self.accounts.user.as_str());
        for _ in 1..TRIES {
            let reply = self.client.json(method.clone(), path, token, body, limit).await;
            let reply = reply.map_err(unanswered)?;
            if reply.status != 429 {
                return sound(reply);
            }
            let pause = Duration::from_secs(reply.retry_after.unwrap_or(MOMENT));
            tokio::time::sleep(pause).await;
        }
        let reply = self.client.json(method, path, token, body, limit).await;
        sound(reply.map_err(unanswered)?)
    }
}

pub(super) fn sound(reply: Response) -> Result<Response, Violation> {
    let refusal = (reply.status >= 400).then(|| ordinary_refusal(&reply)).flatten();
    refusal.map_or(Ok(reply), Err)
}

pub(super) fn unanswered(error: HttpError) -> Violation {
    Violation::new(Rule::Unanswered, "an answer", error.to_string())
}
