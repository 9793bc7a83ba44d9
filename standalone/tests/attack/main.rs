//! The hostile corpus, as CI runs it. An executable of its own, which cargo runs alone: programs that
//! race with their limits, and a bystander whose time is measured, are no company for other tests.

use std::process::Command;

use serde_json::Value;

#[test]
fn the_whole_corpus_gets_nowhere_and_leaves_nothing() {
    let mut attack = Command::new(env!("CARGO_BIN_EXE_crucible"));
    attack.args(["doctor", "--attack", "--json"]);
    // With the packages that some of the ordinary programs import. Other tests want a Python without.
    if let Some(environment) = std::env::var_os("CRUCIBLE_TEST_PYTHON") {
        attack.env("PYTHON_ENVIRONMENT", environment);
    }
    let output = attack.output().expect("it starts");
    let [report, shown] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    // Counts, times and what was skipped stand in the log of CI.
    println!("{shown}");
    let report: Value = serde_json::from_str(&report).expect("see above");
    let findings = report["findings"].as_array().expect("a list");
    // Without cgroups some attacks are known to get through. Any other finding, and that nothing was run,
    // is a failure.
    assert!(findings.iter().all(|finding| finding["known"].is_string()), "see above");
    assert_eq!(output.status.success(), findings.is_empty(), "see above");
    assert!(report["cgroups"] == false || report["held"] == true, "see above");
}
