//! The scripts of `examples/`, run as a stranger would run them against a service that has just been started.

#[allow(dead_code, reason = "each of the programs that use it uses its part")]
#[path = "../machine/crucible.rs"]
mod crucible;
#[allow(dead_code, unused_imports, reason = "each of the programs that use it uses its part")]
#[path = "../machine/processes.rs"]
mod processes;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crucible::{Crucible, needs};

/// A script, and what it prints when all is well.
struct Example {
    script: &'static str,
    /// What it imports beside the standard library.
    needs: &'static [&'static str],
    /// Libraries that programs of its in Crucible import.
    inside: &'static [&'static str],
    /// What is typed.
    input: &'static str,
    prints: &'static [&'static str],
}

impl Example {
    /// One that needs nothing, and of which nothing is expected yet.
    const fn new(script: &'static str) -> Self {
        Self { script, needs: &[], inside: &[], input: "", prints: &[] }
    }
}

const EXAMPLES: &[Example] = &[
    Example {
        inside: &["pandas", "matplotlib"],
        prints: &[
            "bar chart 'Sales', revenue (k€), unit k€:\n    north: 120.5\n    south: 0.0\n",
            "    revenue (float64): [120.5, None, 99.0]\n",
            "[chart: bar \"Sales\", y \"revenue (k€)\": north 120.5, south 0, west 99; see results of /v1/",
        ],
        ..Example::new("chart_data.py")
    },
    Example {
        prints: &["Node: 1314 thousand\nPython still has 2 rows"],
        ..Example::new("contexts.py")
    },
    Example { prints: &["changed\n", "not overwritten: ", "sum,3"], ..Example::new("files.py") },
    Example {
        input: "Ada\n",
        prints: &["What is your name? Hello, Ada!", "[succeeded in "],
        ..Example::new("input.py")
    },
    Example { prints: &["failed KeyboardInterrupt", "counted to"], ..Example::new("interrupt.py") },
    Example {
        inside: &["pandas"],
        prints: &["KeyError", "profit:"],
        ..Example::new("pandas_session.py")
    },
    Example {
        inside: &["matplotlib"],
        prints: &["plotted 320 points", "plot.png: "],
        ..Example::new("plot.py")
    },
    Example {
        prints: &["it says: Serving HTTP", "a run gets: <h1>it works</h1>", "ended: "],
        ..Example::new("server.py")
    },
    Example {
        prints: &["event: stdout", r#""text":"10\n""#, "event: finished"],
        ..Example::new("stream.sh")
    },
    Example {
        needs: &["websockets"],
        input: "echo =$((6 * 7))=\nexit\n",
        prints: &["=42="],
        ..Example::new("terminal.py")
    },
];

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

/// The Python that has what some examples import, or the machine's own.
fn python() -> PathBuf {
    let prepared = std::env::var_os("CRUCIBLE_TEST_PYTHON").map(PathBuf::from);
    let prepared = prepared.map(|environment| environment.join("bin/python3"));
    prepared.unwrap_or_else(|| PathBuf::from("/usr/bin/python3"))
}

fn imports(python: &Path, module: &str) -> bool {
    let mut import = Command::new(python);
    import.args(["-c", &format!("import {module}")]).stderr(Stdio::null());
    import.status().is_ok_and(|status| status.success())
}

fn run(example: &Example, crucible: &Crucible, python: &Path, scratch: &Path) -> Output {
    let script = examples().join(example.script);
    let mut command = match example.script.ends_with(".sh") {
        true => Command::new("bash"),
        false => Command::new(python),
    };
    command
        .arg(script)
        .env("CRUCIBLE_URL", crucible.url())
        .env("CRUCIBLE_TOKEN", crucible.token())
        .current_dir(scratch)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the script starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    // One that asks nothing may have ended by then.
    let _ = stdin.write_all(example.input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("it is a child")
}

#[test]
fn every_example_does_what_it_says() {
    let python = python();
    let environment = std::env::var("CRUCIBLE_TEST_PYTHON").unwrap_or_default();
    let data = tempfile::tempdir().expect("a temporary directory");
    let inside = (!environment.is_empty()).then_some(("PYTHON_ENVIRONMENT", &*environment));
    let crucible = Crucible::start_in(data.path(), inside.as_slice());
    for example in EXAMPLES {
        let Example { script, needs: modules, inside: libraries, input: _, prints } = example;
        if script.ends_with(".sh") && needs("curl", script).is_none() {
            continue;
        }
        if let Some(missing) = modules.iter().find(|module| !imports(&python, module)) {
            eprintln!("skipped: examples/{script} (no {missing} for Python)");
            continue;
        }
        if let Some(missing) = libraries.iter().find(|module| !imports(&python, module)) {
            eprintln!("skipped: examples/{script} (no {missing} for programs inside)");
            continue;
        }
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let output = run(example, &crucible, &python, scratch.path());
        let printed = String::from_utf8_lossy(&output.stdout);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}: {}\n{printed}\n{said}", output.status);
        for expected in *prints {
            assert!(
                printed.contains(expected),
                "{script} prints no {expected:?}:\n{printed}\n{said}"
            );
        }
    }
}

#[test]
fn every_example_is_tried() {
    let scripts = std::fs::read_dir(examples()).expect("there are examples");
    let scripts = scripts.map(|entry| entry.expect("a name").file_name().into_string());
    let scripts = scripts.map(|name| name.expect("UTF-8"));
    let scripts: BTreeSet<String> = scripts.filter(|name| !name.ends_with(".md")).collect();
    let tried: BTreeSet<String> =
        EXAMPLES.iter().map(|example| String::from(example.script)).collect();
    assert_eq!(scripts, tried);
}
