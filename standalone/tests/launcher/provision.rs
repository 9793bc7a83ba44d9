//! Rich Python, made without network: from an empty list of requirements, and from one that cannot
//! be met.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;

use execution_service::language::discovery::{SandboxUser, discover};
use execution_service::language::python::PYTHON;
use execution_service::language::toolchain::Toolchain;
use standalone::provision::{Choice, Making, Packages, Progress, ProvisionError, Recipe, sweep};
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

/// Of a list of the operator's own, in `data`.
fn recipe(python: &Toolchain, data: &Path, requirements: &str) -> Recipe {
    let list = data.join("list.txt");
    fs::write(&list, requirements).expect("written");
    Recipe {
        python: python.clone(),
        packages: Choice::Own(list).packages().expect("a list"),
        launcher: PathBuf::from(LAUNCHER),
    }
}

fn make(recipe: &Recipe, data: &Path) -> (Result<PathBuf, ProvisionError>, usize) {
    let mut steps = 0;
    let mut count = |_: Progress<'_>| steps += 1;
    let made =
        recipe.make(data, &mut Making { progress: &mut count, stop: &AtomicBool::new(false) });
    (made, steps)
}

#[test]
fn an_environment_is_made_once_and_found_by_the_next_start() {
    let Some(python) = python("an_environment_is_made_once_and_found_by_the_next_start") else {
        return;
    };
    let data = TempDir::new().expect("a directory");
    let recipe = recipe(&python, data.path(), "# nothing\n");
    assert_eq!(recipe.existing(data.path()), None);

    let (made, steps) = make(&recipe, data.path());
    let made = match made {
        Err(ProvisionError::NoPip) => {
            eprintln!("skipped: an_environment_is_made_once_and_found_by_the_next_start (no pip)");
            return;
        }
        made => made.expect("it needs no network"),
    };

    assert!(steps > 0);
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
    let data = TempDir::new().expect("a directory");
    let place =
        |python: &Toolchain, list: &str| recipe(python, data.path(), list).place(data.path());
    let first = place(&python, "numpy==1.26.4");
    assert_eq!(first, place(&python, "numpy==1.26.4"));
    assert_ne!(first, place(&python, "numpy==1.26.3"));
    let newer = Toolchain { version: String::from("3.99.0"), ..python.clone() };
    assert_ne!(first, place(&newer, "numpy==1.26.4"));
    let elsewhere = Toolchain { executable: "/opt/python/bin/python3".into(), ..python.clone() };
    assert_ne!(first, place(&elsewhere, "numpy==1.26.4"));
}

#[test]
fn what_cannot_be_installed_is_told_in_one_line_and_nothing_is_left() {
    let Some(python) = python("what_cannot_be_installed_is_told_in_one_line_and_nothing_is_left")
    else {
        return;
    };
    let data = TempDir::new().expect("a directory");
    let missing = "crucible-no-such @ file:///no/such/wheel-1-py3-none-any.whl\n";
    let recipe = recipe(&python, data.path(), missing);

    let error = make(&recipe, data.path()).0.expect_err("there is no such wheel");

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
    let recipe = recipe(&python, data.path(), "numpy");
    let place = recipe.place(data.path());
    fs::create_dir_all(place.join("bin")).expect("a directory");
    fs::write(place.join("bin/python3"), "half").expect("a file");
    assert_eq!(recipe.existing(data.path()), None);
}

#[test]
fn what_is_told_to_stop_stops_and_leaves_the_empty_directory_that_sandboxes_have() {
    let Some(python) =
        python("what_is_told_to_stop_stops_and_leaves_the_empty_directory_that_sandboxes_have")
    else {
        return;
    };
    let data = TempDir::new().expect("a directory");
    let recipe = recipe(&python, data.path(), "# nothing\n");
    let place = recipe.announce(data.path()).expect("made");
    fs::write(place.join("left by an earlier attempt"), "").expect("written");
    let mut making = Making { progress: &mut |_| {}, stop: &AtomicBool::new(true) };

    let stopped = recipe.fill(&place, &mut making);

    assert!(matches!(stopped, Err(ProvisionError::Stopped)), "{stopped:?}");
    assert_eq!(fs::read_dir(&place).expect("it stays").count(), 0);
}

/// The lines of a list, each with its continuations.
fn requirements(packages: &Packages) -> Vec<String> {
    let lines = packages.requirements.replace("\\\n", "");
    lines.lines().filter(|line| !line.starts_with('#')).map(String::from).collect()
}

#[test]
fn every_requirement_is_pinned_with_hashes_of_wheels() {
    let sets = [Choice::Minimal, Choice::Standard].map(|choice| choice.packages().expect("ours"));
    for line in sets.iter().flat_map(requirements) {
        assert!(line.contains("==") && line.contains("--hash=sha256:"), "{line}");
        assert!(!line.contains("://"), "{line}");
    }
}

#[test]
fn the_standard_set_has_the_minimal_one_and_what_models_reach_for() {
    // `numpy==2.2.6`; for which Pythons depends on who else needs it.
    let versions = |packages: &Packages| -> BTreeSet<String> {
        let pins = requirements(packages)
            .into_iter()
            .map(|line| String::from(line.split_whitespace().next().expect("a pin")));
        pins.collect()
    };
    let minimal = versions(&Packages::minimal());
    let standard = versions(&Choice::Standard.packages().expect("ours"));
    let has = |set: &BTreeSet<String>, name: &str| {
        set.iter().any(|pin| pin.split_once("==").is_some_and(|(other, _)| other == name))
    };
    assert_eq!(minimal.difference(&standard).next(), None, "the same versions in both");
    for name in ["ipython", "numpy", "pandas", "matplotlib"] {
        assert!(has(&minimal, name), "{name}");
    }
    let reached_for = "scipy scikit-learn statsmodels sympy seaborn plotly altair pillow \
         opencv-python-headless openpyxl xlsxwriter xlrd python-docx python-pptx pypdf reportlab lxml \
         beautifulsoup4 requests httpx pyyaml tabulate tqdm networkx duckdb pyarrow polars jinja2 \
         nest-asyncio noto-cjk-sans-jp-regular";
    for name in reached_for.split_whitespace() {
        assert!(has(&standard, name), "{name}");
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
