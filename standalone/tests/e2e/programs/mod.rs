//! Programs as models write them, with the rule that each of them shows: `*.cases`, read by [`reading`].

mod reading;

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use self::reading::{Program, read};
use crate::crucible::Crucible;
use crate::sessions::session;

/// As many programs as run side by side.
const AT_ONCE: usize = 2;

/// Runs all programs of a file, and fails with everything that is not as it says.
async fn all_of(text: &'static str) {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    let (_, listed) = Crucible::shared().call(Method::GET, "/v1/languages", None).await;
    for program in read(text) {
        if let Some(package) = program.needs.as_deref().filter(|name| !is_there(&listed, name)) {
            eprintln!("skipped: {} (no {package} in the Python of this machine)", program.rule);
            continue;
        }
        let turns = Arc::clone(&turns);
        running.spawn(async move {
            let _turn = turns.acquire().await.expect("it is never closed");
            objection(&program, Crucible::shared()).await
        });
    }
    let objections: Vec<String> = running.join_all().await.into_iter().flatten().collect();
    assert!(objections.is_empty(), "{}", objections.join("\n"));
}

fn is_there(listed: &Value, package: &str) -> bool {
    let mut languages = listed["languages"].as_array().into_iter().flatten();
    languages.any(|language| language["packages"].get(package).is_some())
}

async fn objection(program: &Program, crucible: &Crucible) -> Option<String> {
    let place = match program.in_session {
        true => Some(session(crucible, &program.language).await),
        false => None,
    };
    let mut found = None;
    for run in &program.runs {
        let run = match &place {
            Some((id, _)) => run.clone().with("session_id", json!(id)),
            None => run.clone(),
        };
        found = run.objection(crucible).await;
        if found.is_some() {
            break;
        }
    }
    if let Some((_, path)) = place {
        crucible.call(Method::DELETE, &path, None).await;
    }
    found.map(|why| format!("{}: {why}", program.rule))
}

#[tokio::test]
async fn python_does_what_its_users_expect() {
    all_of(include_str!("python.cases")).await;
}

#[tokio::test]
async fn ipython_does_what_its_users_expect() {
    let Ok(environment) = std::env::var("CRUCIBLE_TEST_PYTHON") else {
        eprintln!("skipped: ipython_does_what_its_users_expect (no CRUCIBLE_TEST_PYTHON)");
        return;
    };
    let data = tempfile::tempdir().expect("a temporary directory");
    let crucible = Crucible::start_in(data.path(), &[("PYTHON_ENVIRONMENT", &environment)]);
    let mut objections = Vec::new();
    for program in read(include_str!("ipython.cases")) {
        objections.extend(objection(&program, &crucible).await);
    }
    assert!(objections.is_empty(), "{}", objections.join("\n"));
}

#[tokio::test]
async fn node_does_what_its_users_expect() {
    all_of(include_str!("node.cases")).await;
}

#[tokio::test]
async fn bash_does_what_its_users_expect() {
    all_of(include_str!("bash.cases")).await;
}

#[tokio::test]
async fn c_does_what_its_users_expect() {
    all_of(include_str!("c.cases")).await;
}

#[tokio::test]
async fn all_languages_find_the_same_programs() {
    all_of(include_str!("environment.cases")).await;
}
