//! Playing an entry that is sent.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Outcome;
use super::fixtures::Fixtures;
use super::prepared_request::{PreparedRequest, Unsendable};
use super::programs::unanswered;
use crate::corpus::{RequestAttack, RequestTemplate, Volley};
use crate::http::{HttpError, Response};
use crate::judge::{Rule, Violation, reply};

const EXECUTIONS: &str = "/v1/code_interpreter/executions";
/// Between two rounds of cancelling.
const BREATH: Duration = Duration::from_millis(50);

impl Fixtures {
    /// Sends it, as often as it says and wherever it says, and holds the answers against what is
    /// expected.
    pub(super) async fn request(&self, one: &RequestAttack) -> Outcome {
        if one.only_private && !self.private {
            return Outcome::Skipped(String::from("it would be in the way of a live service"));
        }
        let mut violations = Vec::new();
        for template in [Some(&one.first), one.then.as_ref()].into_iter().flatten() {
            let single = Volley::default();
            let volley = if std::ptr::eq(template, &one.first) { &one.volley } else { &single };
            let requests = match self.requests(template) {
                Ok(requests) => requests,
                Err(Unsendable::NoFixture(what)) => {
                    return Outcome::Skipped(format!("there is no {what}"));
                }
                Err(Unsendable::InvalidRequest(why)) => return Outcome::Ran(vec![unanswered(why)]),
            };
            for request in requests {
                let replies = if volley.cancelled {
                    tokio::select! {
                        replies = fire(&request, volley) => replies,
                        never = self.cancel_everything() => match never {},
                    }
                } else {
                    fire(&request, volley).await
                };
                violations.extend(self.judge(&replies, template, volley));
                for made in replies.iter().flatten() {
                    request.undo(made).await;
                }
            }
        }
        // A hundred answers that are wrong in the same way are one finding.
        violations.dedup();
        Outcome::Ran(violations)
    }

    /// Does nothing else until it is dropped.
    async fn cancel_everything(&self) -> Infallible {
        let user = Some(self.accounts.user.as_str());
        loop {
            let listed = self.call(Method::GET, EXECUTIONS, user, None).await.unwrap_or_default();
            for execution in listed["data"].as_array().into_iter().flatten() {
                if let ("running", Some(id)) = (
                    execution["status"].as_str().unwrap_or_default(),
                    execution["execution_id"].as_str(),
                ) {
                    // It may have ended since it was listed.
                    let path = format!("{EXECUTIONS}/{id}/cancel");
                    let _ = self.call(Method::POST, &path, user, None).await;
                }
            }
            tokio::time::sleep(BREATH).await;
        }
    }

    fn requests(&self, template: &RequestTemplate) -> Result<Vec<PreparedRequest>, Unsendable> {
        if template.path == "*" {
            self.routes.iter().map(|route| self.prepare(template, Some(route))).collect()
        } else {
            Ok(vec![self.prepare(template, None)?])
        }
    }

    fn judge(
        &self,
        replies: &[Result<Response, HttpError>],
        template: &RequestTemplate,
        volley: &Volley,
    ) -> Vec<Violation> {
        let mut violations = Vec::new();
        for answer in replies {
            match answer {
                Ok(answer) => {
                    violations.extend(reply(answer, &template.expected));
                    violations.extend(self.canaries.found_in(std::slice::from_ref(&answer.text)));
                }
                Err(HttpError::Broken(_) | HttpError::Connection(_))
                    if template.expected.unread => {}
                Err(why) => {
                    violations.push(Violation::new(Rule::Unanswered, "an answer", why.to_string()));
                }
            }
        }
        let among = |status: &u16| replies.iter().flatten().any(|reply| reply.status == *status);
        if !volley.some.is_empty() && !volley.some.iter().any(among) {
            let wanted: Vec<String> = volley.some.iter().map(u16::to_string).collect();
            let seen = format!("none of {} answers", replies.len());
            let wanted = format!("{} at some time", wanted.join(" or "));
            violations.push(Violation::new(Rule::Status, wanted, seen));
        }
        violations
    }
}

/// Sends it as often and as many at a time as a volley says; those that hang up get no answer.
async fn fire(request: &PreparedRequest, volley: &Volley) -> Vec<Result<Response, HttpError>> {
    let turns = Arc::new(Semaphore::new(volley.at_once));
    let mut calls = JoinSet::new();
    for _ in 0..volley.times {
        let (turns, request) = (Arc::clone(&turns), request.clone());
        calls.spawn(async move {
            // Closed by nobody: without a turn it would only be sent earlier.
            let _turn = turns.acquire().await;
            request.send().await
        });
    }
    calls.join_all().await.into_iter().flatten().collect()
}
