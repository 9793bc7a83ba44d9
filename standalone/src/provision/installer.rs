//! `venv` and `pip`: whichever of them this machine has.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::bound::{self, Bound};
use super::{Making, Progress, ProvisionError, Recipe};

/// The longest silence of a command that works: unpacking 1 GB on a slow disk, or a wheel of
/// 60 MB on a slow line. A dead line is noticed by pip itself, after [`SOCKET_SECONDS`].
const PATIENCE: Duration = Duration::from_secs(600);
const SOCKET_SECONDS: &str = "15";

/// The oldest pip that can install into an environment that has none (`pip --python`).
const OLDEST_PIP: (u32, u32) = (22, 3);

/// Makes an empty environment. Without pip, because Debian's Python comes without `ensurepip`.
pub(super) fn create(
    recipe: &Recipe,
    place: &Path,
    making: &mut Making<'_>,
) -> Result<(), ProvisionError> {
    let mut command = words(["-I", "-m", "venv", "--without-pip"]);
    command.insert(0, recipe.python.executable.clone().into());
    command.push(place.into());
    silently("python -m venv", recipe, &command, making)
}

/// Runs a command of whose output nobody wants to know more than why it failed.
fn silently(
    name: &'static str,
    recipe: &Recipe,
    command: &[OsString],
    making: &mut Making<'_>,
) -> Result<(), ProvisionError> {
    let launcher = &recipe.launcher;
    let bound = Bound { name, launcher, command, variables: &[], patience: PATIENCE };
    bound::run(bound, making, &mut |_, _| {})
}

/// Installs the packages, telling about each that is downloaded.
pub(super) fn install(
    recipe: &Recipe,
    place: &Path,
    making: &mut Making<'_>,
) -> Result<(), ProvisionError> {
    let packages = &recipe.packages;
    let list = match &packages.file {
        // Not a copy: what it names may lie beside it. It may hold passwords, and stays out of the environment,
        // which the sandboxes read.
        Some(file) => file.clone(),
        None => {
            let list = place.join("requirements.txt");
            let written = fs::write(&list, &packages.requirements);
            written.map_err(|source| ProvisionError::file(&list, source))?;
            list
        }
    };
    let mut command = pip(recipe, place, making)?;
    command.extend(words([
        "install",
        "--no-input",
        // No build of a source distribution: it would run foreign code as the operator.
        "--only-binary=:all:",
        "--no-compile",
        "--disable-pip-version-check",
        "--no-color",
        "--progress-bar=off",
        "--retries=1",
        "--timeout",
        SOCKET_SECONDS,
    ]));
    if packages.complete {
        // Anything beyond the list would not be pinned.
        command.push("--no-deps".into());
    }
    command.push("--requirement".into());
    command.push(list.into());
    let (mut number, mut of) = (0, packages.count());
    // Beside what becomes of it: /tmp is often memory, and what is needed there was not asked for.
    let scratch = place.join("download");
    fs::create_dir(&scratch).map_err(|source| ProvisionError::file(&scratch, source))?;
    let variables = [("TMPDIR", scratch.as_path())];
    let (name, launcher, patience) = ("pip", &recipe.launcher, PATIENCE);
    let bound = Bound { name, launcher, command: &command, variables: &variables, patience };
    bound::run(bound, making, &mut |line, making| {
        if line.starts_with("Ignoring ") {
            // It is for another Python.
            of = of.saturating_sub(1);
        } else if let Some(name) = line.strip_prefix("Collecting ") {
            let end = |c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c));
            let name = name.split(end).next().unwrap_or(name);
            number += 1;
            (making.progress)(Progress::Package { name, number, of: of.max(number) });
        } else if line.starts_with("Installing ") {
            (making.progress)(Progress::Doing("Installing what was downloaded"));
        }
    })?;
    fs::remove_dir_all(&scratch).map_err(|source| ProvisionError::file(&scratch, source))
}

/// The start of a pip command line that installs into `place`: the environment's own pip where the
/// interpreter brings `ensurepip`, else any pip on this machine that can install for others.
fn pip(
    recipe: &Recipe,
    place: &Path,
    making: &mut Making<'_>,
) -> Result<Vec<OsString>, ProvisionError> {
    let inside = place.join("bin/python3");
    let mut ensure = vec![OsString::from(&inside)];
    ensure.extend(words(["-I", "-m", "ensurepip"]));
    let ensured = silently("ensurepip", recipe, &ensure, making);
    if let Err(stopped @ ProvisionError::Stopped) = ensured {
        return Err(stopped);
    }
    if ensured.is_ok() {
        let mut command = vec![OsString::from(inside)];
        command.extend(words(["-I", "-m", "pip"]));
        return Ok(command);
    }
    let mut outside: Vec<Vec<OsString>> = vec![
        [OsString::from(&recipe.python.executable)]
            .into_iter()
            .chain(words(["-I", "-m", "pip"]))
            .collect(),
    ];
    outside.extend(on_path("pip3").chain(on_path("pip")).map(|pip| vec![pip.into()]));
    let mut command =
        outside.into_iter().find(|command| recent(command)).ok_or(ProvisionError::NoPip)?;
    command.push("--python".into());
    command.push(inside.into());
    Ok(command)
}

fn on_path(name: &'static str) -> impl Iterator<Item = PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories: Vec<PathBuf> = std::env::split_paths(&path).collect();
    directories.into_iter().map(move |directory| directory.join(name)).filter(|pip| pip.is_file())
}

/// Does this pip run, and can it install for another interpreter? "pip 23.0.1 from /usr/… (python 3.11)"
fn recent(command: &[OsString]) -> bool {
    let Some((program, arguments)) = command.split_first() else {
        return false;
    };
    let said = Command::new(program)
        .args(arguments)
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let Ok(said) = said else { return false };
    let text = String::from_utf8_lossy(&said.stdout);
    said.status.success() && version(&text).is_some_and(|version| version >= OLDEST_PIP)
}

fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.strip_prefix("pip ")?.split_whitespace().next()?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn words<const N: usize>(words: [&str; N]) -> Vec<OsString> {
    words.into_iter().map(OsString::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_a_pip_is_read() {
        assert_eq!(version("pip 23.0.1 from /usr/lib (python 3.11)\n"), Some((23, 0)));
        assert_eq!(version("pip 22.3 from x"), Some((22, 3)));
        assert_eq!(version("bash: pip: command not found"), None);
    }
}
