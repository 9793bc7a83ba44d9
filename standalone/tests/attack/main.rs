//! The hostile corpus, as CI runs it. An executable of its own, which cargo runs alone: programs that
//! race with their limits, and a bystander whose time is measured, are no company for other tests.

use std::process::Command;

#[test]
fn the_whole_corpus_gets_nowhere_and_leaves_nothing() {
    let mut attack = Command::new(env!("CARGO_BIN_EXE_crucible"));
    attack.args(["doctor", "--attack"]);
    // With the packages that some of the ordinary programs import. Other tests want a Python without.
    if let Some(environment) = std::env::var_os("CRUCIBLE_TEST_PYTHON") {
        attack.env("PYTHON_ENVIRONMENT", environment);
    }
    let output = attack.output().expect("it starts");
    let [shown, trouble] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    // Counts, times and what was skipped stand in the log of CI.
    println!("{shown}{trouble}");
    assert!(output.status.success(), "see above");
    assert!(shown.contains("nothing got through, nothing was left"), "see above");
}
