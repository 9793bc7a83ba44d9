//! `venv` and `pip`: whichever of them this machine has.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{ProvisionError, Recipe, bound};

/// The longest silence of a command that works: unpacking numpy on a slow disk, or a wheel of
/// 17 MB on a slow line. A dead line is noticed by pip itself, after [`SOCKET_SECONDS`].
const PATIENCE: Duration = Duration::from_secs(180);
const SOCKET_SECONDS: &str = "15";

/// The oldest pip that can install into an environment that has none (`pip --python`).
const OLDEST_PIP: (u32, u32) = (22, 3);

/// Makes an empty environment. Without pip, because Debian's Python comes without `ensurepip`.
pub(super) fn create(recipe: &Recipe<'_>, place: &Path) -> Result<(), ProvisionError> {
    let mut command = words(["-I", "-m", "venv", "--without-pip"]);
    command.insert(0, recipe.python.executable.clone().into());
    command.push(place.into());
    bound::run("python -m venv", recipe.launcher, &command, &[], PATIENCE, &mut |_| {})
}

/// Installs the requirements, telling about each package that is downloaded.
pub(super) fn install(
    recipe: &Recipe<'_>,
    place: &Path,
    progress: &mut dyn FnMut(&str),
) -> Result<(), ProvisionError> {
    let list = place.join("requirements.txt");
    fs::write(&list, recipe.requirements).map_err(|source| ProvisionError::file(&list, source))?;
    let mut command = pip(recipe, place)?;
    command.extend(words([
        "install",
        "--no-input",
        // No build of a source distribution: it would run foreign code as the operator.
        "--only-binary=:all:",
        // The list is complete; anything beyond it would not be pinned.
        "--no-deps",
        "--no-compile",
        "--disable-pip-version-check",
        "--no-color",
        "--progress-bar=off",
        "--retries=1",
        "--timeout",
        SOCKET_SECONDS,
        "--requirement",
    ]));
    command.push(list.into());
    bound::run("pip", recipe.launcher, &command, &[], PATIENCE, &mut |line| {
        let told = line.trim_start();
        if told.starts_with("Downloading ") || told.starts_with("Installing ") {
            progress(told);
        }
    })
}

/// The start of a pip command line that installs into `place`: the environment's own pip where the
/// interpreter brings `ensurepip`, else any pip on this machine that can install for others.
fn pip(recipe: &Recipe<'_>, place: &Path) -> Result<Vec<OsString>, ProvisionError> {
    let inside = place.join("bin/python3");
    let mut ensure = vec![OsString::from(&inside)];
    ensure.extend(words(["-I", "-m", "ensurepip"]));
    let ensured = bound::run("ensurepip", recipe.launcher, &ensure, &[], PATIENCE, &mut |_| {});
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
