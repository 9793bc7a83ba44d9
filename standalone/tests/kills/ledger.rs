//! What must be true of the requests of a round, whoever was killed.

use std::collections::HashMap;

use serde_json::Value;

use crate::load::{Attempt, Fate};
use crate::round::Round;
use crate::service::Service;

/// What is not as it should be; empty if all is well.
pub async fn objections(service: &Service, round: &Round) -> Vec<String> {
    let mut objections = against_the_answers(round);
    objections.extend(against_the_history(service, round).await);
    objections
}

fn against_the_answers(round: &Round) -> Vec<String> {
    let mut objections = Vec::new();
    let mut unexplained = Vec::new();
    for attempt in &round.attempts {
        match &attempt.fate {
            Fate::Done(_) => {}
            Fate::Wrong(what) => objections.push(format!("wrong: {what}")),
            Fate::Broken { error, .. } => {
                if !touched(round, attempt, |victim| victim.breaks_connections()) {
                    objections.push(format!("broken without a reason: {error}"));
                }
            }
            Fate::Told(what) => {
                if !touched(round, attempt, |victim| !victim.is_one_sandboxes_own()) {
                    unexplained.push(what.clone());
                }
            }
        }
    }
    let may = round.kills.iter().filter(|kill| kill.victim.is_one_sandboxes_own()).count();
    if unexplained.len() > may {
        objections.push(format!("{may} deaths of one sandbox each cost {unexplained:?}"));
    }
    objections
}

fn touched(round: &Round, attempt: &Attempt, by: impl Fn(crate::victim::Victim) -> bool) -> bool {
    let touches = |kill: &crate::victim::Kill| kill.touches(attempt.begin, attempt.end);
    round.kills.iter().any(|kill| by(kill.victim) && touches(kill))
}

/// Every execution that was answered is in the history and has ended as it was answered; and nothing runs,
/// now that nobody calls.
async fn against_the_history(service: &Service, round: &Round) -> Vec<String> {
    let mut answered: HashMap<&str, ()> = HashMap::new();
    for attempt in &round.attempts {
        if let Fate::Done(ids) = &attempt.fate {
            answered.extend(ids.iter().map(|id| (id.as_str(), ())));
        }
    }
    let mut objections = Vec::new();
    // A run whose caller went away is noted as cancelled a moment later.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let text = |row: &Value, key: &str| String::from(row[key].as_str().unwrap_or_default());
    for row in service.client.list("executions", |_| true).await {
        let (id, status) = (text(&row, "execution_id"), text(&row, "status"));
        if answered.remove(id.as_str()).is_some() && status != "succeeded" {
            objections.push(format!("{id} was answered as succeeded and is {status}"));
        }
        if status == "running" {
            objections.push(format!("{row} runs although nobody waits for it"));
        }
    }
    objections.extend(answered.into_keys().map(|id| format!("{id} was answered and is nowhere")));
    objections
}
