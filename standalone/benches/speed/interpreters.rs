//! The executables of the bare side, found without flattering ours: a shim in front of the
//! interpreter, or a site directory that runs something at every start, would make bare runs slow.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use execution_service::language::Language;
use execution_service::language::discovery::{Discovery, Found, discover};
use execution_service::language::python::PYTHON;

use crate::bare;
use crate::figures::milliseconds;
use crate::packages;

/// Starts of each Python before the fastest is chosen.
const TRIALS: u32 = 15;

/// Prints where it really is, past shims and links.
const REAL_PATH: &str = "import os, sys; print(os.path.realpath(sys.executable))";

/// What bare processes are started from.
#[derive(Debug)]
pub struct Interpreters {
    /// The Python that starts fastest.
    pub python: PathBuf,
    /// Median start of each Python on this machine, fastest first.
    pub pythons: Vec<(PathBuf, Duration)>,
    /// The environment with numpy, pandas and matplotlib that the sandboxes have, too.
    pub packages: PathBuf,
    found: BTreeMap<Language, (PathBuf, String)>,
    missing: BTreeMap<Language, String>,
}

impl Interpreters {
    /// Looks at this machine.
    pub fn find(launcher: &Path) -> anyhow::Result<Self> {
        let packages = packages::environment(launcher)?;
        let Discovery { found, missing, passed_over: _ } =
            discover(&Language::ALL, None, packages::sandbox_user());
        let pythons = pythons()?;
        let (python, _) = pythons.first().context("no python3 answers")?.clone();
        Ok(Self {
            python,
            pythons,
            packages,
            found: found
                .into_iter()
                .map(|Found { language, toolchain }| {
                    (language, (toolchain.executable, toolchain.version))
                })
                .collect(),
            missing: missing.into_iter().map(|it| (it.language, it.reason)).collect(),
        })
    }

    /// Why a workload in these languages cannot be played.
    pub fn lacks(&self, languages: &[Language]) -> Option<String> {
        languages.iter().find_map(|language| {
            let reason = self.missing.get(language)?;
            Some(format!("no {}: {reason}", language.name()))
        })
    }

    /// The executable behind a language; Python's is [`Interpreters::python`].
    pub fn executable(&self, language: Language) -> anyhow::Result<&Path> {
        if language == PYTHON {
            return Ok(&self.python);
        }
        let found = self.found.get(&language);
        let (path, _) = found.ok_or_else(|| anyhow!("there is no {}", language.name()))?;
        Ok(path)
    }

    /// The Python with the packages.
    pub fn rich_python(&self) -> PathBuf {
        self.packages.join("bin/python3")
    }

    /// Versions of what the sandboxes run, by language.
    pub fn versions(&self) -> BTreeMap<&'static str, &str> {
        let named = self.found.iter();
        named.map(|(language, (_, version))| (language.name(), version.as_str())).collect()
    }
}

/// Every Python on the `PATH` and the system's, by how long it takes to say hello.
fn pythons() -> anyhow::Result<Vec<(PathBuf, Duration)>> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut real: Vec<PathBuf> = std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/bin")])
        .map(|directory| directory.join("python3"))
        .filter(|candidate| candidate.is_file())
        .filter_map(|candidate| real_path(&candidate))
        .collect();
    real.sort();
    real.dedup();
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); real.len()];
    // In turns, so that a disturbance meets all of them.
    for _ in 0..TRIALS {
        for (python, times) in real.iter().zip(&mut times) {
            let mut hello = bare::command(python, ["-c", "print('hello')"]);
            times.push(bare::time(&mut hello, "hello\n")?);
        }
    }
    let median = |mut times: Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2]
    };
    let mut known: Vec<_> = real.into_iter().zip(times.into_iter().map(median)).collect();
    known.sort_by_key(|&(_, time)| time);
    ensure!(!known.is_empty(), "there is no python3 on this machine");
    Ok(known)
}

/// A shim may need the environment of its user, so it is asked in that. One that does not answer is
/// none.
fn real_path(candidate: &Path) -> Option<PathBuf> {
    let mut question = Command::new(candidate);
    question.args(["-I", "-c", REAL_PATH]).stdin(Stdio::null()).stderr(Stdio::null());
    let answer = question.output().ok().filter(|answer| answer.status.success())?;
    let path = PathBuf::from(String::from_utf8(answer.stdout).ok()?.trim_end());
    path.is_file().then_some(path)
}

impl std::fmt::Display for Interpreters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (language, (_, version)) in &self.found {
            write!(f, "{} {version}, ", language.name())?;
        }
        write!(f, "bare python is")?;
        for (index, (path, time)) in self.pythons.iter().enumerate() {
            let rather_than = if index == 0 { "" } else { ", rather than" };
            write!(f, "{rather_than} {} ({:.1} ms)", path.display(), milliseconds(*time))?;
        }
        Ok(())
    }
}
