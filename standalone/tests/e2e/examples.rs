//! The scripts of `examples/`, run as a stranger runs them.

use std::path::Path;
use std::process::Command;

use reqwest::Method;

use crate::crucible::{Crucible, needs, processors};

/// What the script prints; it must succeed.
async fn example(name: &str) -> Option<String> {
    let python = needs("python3", name)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
    let crucible = Crucible::shared();
    let mut run = Command::new(python);
    run.arg(script).env("CRUCIBLE_URL", crucible.url()).env("CRUCIBLE_TOKEN", crucible.token());
    let ended = tokio::task::spawn_blocking(move || run.output()).await.expect("it is waited for");
    let ended = ended.expect("python3 starts");
    let [said, error] =
        [ended.stdout, ended.stderr].map(|it| String::from_utf8_lossy(&it).into_owned());
    assert!(ended.status.success(), "{name}: {said}{error}");
    Some(said)
}

#[tokio::test]
async fn an_interrupt_keeps_what_was_computed() {
    let _processors = processors().await;
    let Some(said) = example("interrupt.py").await else { return };
    assert!(said.contains("failed KeyboardInterrupt") && said.contains("counted to"), "{said}");
}

#[tokio::test]
async fn two_languages_work_on_one_file() {
    let Some(said) = example("contexts.py").await else { return };
    assert!(said.contains("Node: 1314 thousand\nPython still has 2 rows"), "{said}");
}

#[tokio::test]
async fn an_analysis_goes_on_step_by_step() {
    let (_, languages) = Crucible::shared().call(Method::GET, "/v1/languages", None).await;
    if !languages.to_string().contains("pandas") {
        eprintln!("skipped: pandas_session.py (the Python of this machine has no pandas)");
        return;
    }
    let Some(said) = example("pandas_session.py").await else { return };
    assert!(said.contains("KeyError") && said.contains("profit:"), "{said}");
}
