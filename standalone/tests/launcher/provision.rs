//! Rich Python, made without network: from an empty list of requirements, and from one that cannot
//! be met.

use std::fs;
use std::path::Path;
use std::process::Command;

use execution_service::language::discovery::{SandboxUser, discover};
use execution_service::language::python::PYTHON;
use execution_service::language::toolchain::Toolchain;
use standalone::provision::{ProvisionError, REQUIREMENTS, Recipe, sweep};
use tempfile::TempDir;

const LAUNCHER: &str = env!("CARGO_BIN_EXE_crucible");
const NOBODY_SPECIAL: SandboxUser = SandboxUser { uid: 4_000_000, gid: 4_000_000 };

fn python(test: &str) -> Option<Toolchain> {
    let found = discover(&[PYTHON], None, NOBODY_SPECIAL).found;
    let python = found.into_iter().next().map(|found| found.toolchain);
    if python.is_none() {
        eprintln!("skipped: {test} (no python3 on this machine)");
    }
    python
}

fn recipe<'a>(python: &'a Toolchain, requirements: &'a str) -> Recipe<'a> {
    Recipe { python, requirements, launcher: Path::new(LAUNCHER) }
}

#[test]
fn an_environment_is_made_once_and_found_by_the_next_start() {
    let Some(python) = python("an_environment_is_made_once_and_found_by_the_next_start") else {
        return;
    };
    let data = TempDir::new().expect("a directory");
    let recipe = recipe(&python, "# nothing\n");
    assert_eq!(recipe.existing(data.path()), None);

    let mut steps = Vec::new();
    let made = match recipe.make(data.path(), &mut |step| steps.push(String::from(step))) {
        Err(ProvisionError::NoPip) => {
            eprintln!("skipped: an_environment_is_made_once_and_found_by_the_next_start (no pip)");
            return;
        }
        made => made.expect("it needs no network"),
    };

    assert!(!steps.is_empty());
    assert_eq!(recipe.existing(data.path()), Some(made.clone()));
    let ran = Command::new(made.join("bin/python3"))
        .args(["-I", "-c", "import sys; print(sys.prefix)"])
        .output()
        .expect("it runs");
    assert_eq!(String::from_utf8_lossy(&ran.stdout).trim(), made.to_string_lossy());
}

#[test]
fn another_list_or_interpreter_is_another_environment() {
    let Some(python) = python("another_list_or_interpreter_is_another_environment") else {
        return;
    };
    let data = Path::new("/data");
    let place = recipe(&python, REQUIREMENTS).place(data);
    assert_eq!(place, recipe(&python.clone(), REQUIREMENTS).place(data));
    assert_ne!(place, recipe(&python, "numpy==1.26.4").place(data));
    let newer = Toolchain { version: String::from("3.99.0"), ..python.clone() };
    assert_ne!(place, recipe(&newer, REQUIREMENTS).place(data));
    let elsewhere = Toolchain { executable: "/opt/python/bin/python3".into(), ..python.clone() };
    assert_ne!(place, recipe(&elsewhere, REQUIREMENTS).place(data));
}

#[test]
fn what_cannot_be_installed_is_told_in_one_line_and_nothing_is_left() {
    let Some(python) = python("what_cannot_be_installed_is_told_in_one_line_and_nothing_is_left")
    else {
        return;
    };
    let data = TempDir::new().expect("a directory");
    let recipe = recipe(&python, "crucible-no-such @ file:///no/such/wheel-1-py3-none-any.whl\n");

    let error = recipe.make(data.path(), &mut |_| {}).expect_err("there is no such wheel");

    assert!(!error.to_string().contains('\n'));
    assert!(!recipe.place(data.path()).exists());
    assert_eq!(recipe.existing(data.path()), None);
}

#[test]
fn an_interrupted_start_is_not_mistaken_for_an_environment() {
    let Some(python) = python("an_interrupted_start_is_not_mistaken_for_an_environment") else {
        return;
    };
    let data = TempDir::new().expect("a directory");
    let recipe = recipe(&python, REQUIREMENTS);
    let place = recipe.place(data.path());
    fs::create_dir_all(place.join("bin")).expect("a directory");
    fs::write(place.join("bin/python3"), "half").expect("a file");
    assert_eq!(recipe.existing(data.path()), None);
}

#[test]
fn every_requirement_is_pinned() {
    for line in REQUIREMENTS.lines().filter(|line| !line.starts_with('#')) {
        assert!(line.contains("=="), "{line}");
    }
    for name in ["ipython", "numpy", "pandas", "matplotlib"] {
        assert!(REQUIREMENTS.contains(&format!("\n{name}==")), "{name}");
    }
}

#[test]
fn what_was_begun_and_not_completed_is_removed_and_nothing_else() {
    let data = TempDir::new().expect("a directory");
    let place = |name: &str| data.path().join("python").join(name);
    let (begun, complete) = (place(&"ab".repeat(32)), place(&"cd".repeat(32)));
    let foreign = place("my own notes");
    for directory in [&begun, &complete, &foreign] {
        fs::create_dir_all(directory.join("lib")).expect("made");
    }
    fs::write(complete.join("complete"), "").expect("written");

    assert_eq!(sweep(data.path()).expect("it can be removed"), std::slice::from_ref(&begun));

    assert!(!begun.exists() && complete.exists() && foreign.exists());
    assert_eq!(
        sweep(&data.path().join("nowhere")).expect("nothing is fine"),
        [""; 0].map(Path::new)
    );
}
