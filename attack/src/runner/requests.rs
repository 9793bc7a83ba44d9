//! Playing an entry that is sent.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Outcome;
use super::programs::unanswered;
use super::setting::Setting;
use super::wire::{Unsent, Wire};
use crate::caller::{CallError, Reply};
use crate::corpus::{Request, Sending, Volley};
use crate::judge::{Objection, Rule, reply};

const EXECUTIONS: &str = "/v1/code_interpreter/executions";
/// Between two rounds of cancelling.
const BREATH: Duration = Duration::from_millis(50);

impl Setting {
    /// Sends it, as often as it says and wherever it says, and holds the answers against what is
    /// expected.
    pub(super) async fn request(&self, one: &Request) -> Outcome {
        if one.only_private && !self.private {
            return Outcome::Skipped(String::from("it would be in the way of a live service"));
        }
        let mut objections = Vec::new();
        for sending in [Some(&one.first), one.then.as_ref()].into_iter().flatten() {
            let single = Volley::default();
            let volley = if std::ptr::eq(sending, &one.first) { &one.volley } else { &single };
            let wires = match self.wires(sending) {
                Ok(wires) => wires,
                Err(Unsent::Lacking(what)) => {
                    return Outcome::Skipped(format!("there is no {what}"));
                }
                Err(Unsent::Unspeakable(why)) => return Outcome::Ran(vec![unanswered(why)]),
            };
            for wire in wires {
                let replies = if volley.cancelled {
                    tokio::select! {
                        replies = fire(&wire, volley) => replies,
                        never = self.cancel_everything() => match never {},
                    }
                } else {
                    fire(&wire, volley).await
                };
                objections.extend(self.judge(&replies, sending, volley));
                for made in replies.iter().flatten() {
                    wire.undo(made).await;
                }
            }
        }
        // A hundred answers that are wrong in the same way are one finding.
        objections.dedup();
        Outcome::Ran(objections)
    }

    /// Does nothing else until it is dropped.
    async fn cancel_everything(&self) -> Infallible {
        let user = Some(self.accounts.user.as_str());
        loop {
            let listed = self.asked(Method::GET, EXECUTIONS, user, None).await.unwrap_or_default();
            for execution in listed["data"].as_array().into_iter().flatten() {
                if let ("running", Some(id)) = (
                    execution["status"].as_str().unwrap_or_default(),
                    execution["execution_id"].as_str(),
                ) {
                    // It may have ended since it was listed.
                    let path = format!("{EXECUTIONS}/{id}/cancel");
                    let _ = self.asked(Method::POST, &path, user, None).await;
                }
            }
            tokio::time::sleep(BREATH).await;
        }
    }

    fn wires(&self, sending: &Sending) -> Result<Vec<Wire>, Unsent> {
        if sending.path == "*" {
            self.routes.iter().map(|route| self.wire(sending, Some(route))).collect()
        } else {
            Ok(vec![self.wire(sending, None)?])
        }
    }

    fn judge(
        &self,
        replies: &[Result<Reply, CallError>],
        sending: &Sending,
        volley: &Volley,
    ) -> Vec<Objection> {
        let mut objections = Vec::new();
        for answer in replies {
            match answer {
                Ok(answer) => {
                    objections.extend(reply(answer, &sending.expected));
                    objections.extend(self.secrets.leaked(std::slice::from_ref(&answer.text)));
                }
                Err(CallError::Broken(_) | CallError::Connection(_)) if sending.expected.unread => {
                }
                Err(why) => {
                    objections.push(Objection::new(Rule::Unanswered, "an answer", why.to_string()));
                }
            }
        }
        let among = |status: &u16| replies.iter().flatten().any(|reply| reply.status == *status);
        if !volley.some.is_empty() && !volley.some.iter().any(among) {
            let wanted: Vec<String> = volley.some.iter().map(u16::to_string).collect();
            let seen = format!("none of {} answers", replies.len());
            let wanted = format!("{} at some time", wanted.join(" or "));
            objections.push(Objection::new(Rule::Status, wanted, seen));
        }
        objections
    }
}

/// Sends it as often and as many at a time as a volley says; those that hang up get no answer.
async fn fire(wire: &Wire, volley: &Volley) -> Vec<Result<Reply, CallError>> {
    let turns = Arc::new(Semaphore::new(volley.at_once));
    let mut calls = JoinSet::new();
    for _ in 0..volley.times {
        let (turns, wire) = (Arc::clone(&turns), wire.clone());
        calls.spawn(async move {
            // Closed by nobody: without a turn it would only be sent earlier.
            let _turn = turns.acquire().await;
            wire.send().await
        });
    }
    calls.join_all().await.into_iter().flatten().collect()
}
