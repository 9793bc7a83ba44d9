//! `doctor`, on this host and on hosts that lack something.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::worker::BINARY;

/// What it found.
pub struct Examined {
    /// 0, or 1 for a host that will not do.
    pub code: Option<i32>,
    /// As `--json` printed it.
    pub found: Value,
    /// What else was said.
    pub complaints: String,
}

impl Examined {
    /// The wall of that name.
    #[track_caller]
    pub fn wall(&self, name: &str) -> &Value {
        let walls = self.found["walls"].as_array().expect("a list of walls");
        walls
            .iter()
            .find(|wall| wall["name"] == name)
            .unwrap_or_else(|| panic!("no {name}: {self}"))
    }

    /// Fails unless it is refused for want of `name`, and says what to do about it.
    #[track_caller]
    pub fn is_refused_for(&self, name: &str) {
        let wall = self.wall(name);
        assert_eq!(wall["state"], "missing", "{self}");
        assert_eq!(wall["required"], true, "{self}");
        assert!(wall["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()), "{self}");
        assert_eq!((self.code, &self.found["level"]), (Some(1), &Value::from("refused")), "{self}");
    }

    /// Fails unless it is served there, and `name` is told to be weaker, with a remedy.
    #[track_caller]
    pub fn is_degraded_by(&self, name: &str) {
        let wall = self.wall(name);
        assert_ne!(wall["state"], "enforced", "{self}");
        assert!(wall["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()), "{self}");
        assert_eq!(
            (self.code, &self.found["level"]),
            (Some(0), &Value::from("degraded")),
            "{self}"
        );
    }
}

impl std::fmt::Display for Examined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {:#} {}", self.code, self.found, self.complaints)
    }
}

/// `doctor --json` with these variables beside the way to Bash, started by `wrapper` (which may be empty).
pub fn doctor(wrapper: &[&str], arguments: &[&str], variables: &[(&str, &str)]) -> Examined {
    let line: Vec<&str> = [wrapper, &[BINARY, "doctor", "--json"], arguments]
        .into_iter()
        .flatten()
        .copied()
        .collect();
    let output = output(&line, variables);
    let found = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    Examined { code: output.status.code(), found, complaints }
}

/// What comes of a command line, in an environment of its own.
pub fn output(line: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(line[0])
        .args(&line[1..])
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .env("SUPPORTED_LANGUAGES", "bash")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The beginning of a command line on a host without `what`; nothing, and a note, if that cannot be had here.
pub fn without(what: &'static str) -> Option<[&'static str; 4]> {
    let python = "/usr/bin/python3";
    let possible = Path::new(python).exists();
    possible.then_some([python, "-c", include_str!("without.py"), what]).or_else(|| {
        skipped("no /usr/bin/python3");
        None
    })
}

/// The beginning of a command line that runs `script` first, in a mount namespace that `script` can change; nothing,
/// and a note, where that takes more rights than we have.
pub fn after(script: &str) -> Option<Vec<String>> {
    if !rustix::process::geteuid().is_root() {
        skipped("needs root, to change what is mounted");
        return None;
    }
    let script = format!("set -e; {script}; exec \"$@\"");
    let line = ["unshare", "--mount", "--propagation", "private", "sh", "-c", &script, "sh"];
    Some(line.map(String::from).to_vec())
}

/// Notes that this test was not made.
pub fn skipped(why: &str) {
    let test = std::thread::current();
    eprintln!("skipped: {} ({why})", test.name().unwrap_or("?"));
}
