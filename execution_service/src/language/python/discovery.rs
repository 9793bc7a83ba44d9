//! Python: CPython 3.8 or newer, bare or in a virtual environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::language::toolchain::probe::ask;
use crate::language::toolchain::roots::{outside_system, prefix};
use crate::language::toolchain::{Candidate, Toolchain, Unsuitable, version};

/// The oldest that has `importlib.metadata`, and all else that our kernel uses.
pub const OLDEST: &str = "3.8";

const EXPECTED: &str = "CPython 3";

/// Isolated and without `site`, so that neither the operator's own packages nor a hook in them run.
const IDENTITY: [&str; 4] = [
    "-I",
    "-S",
    "-c",
    "import json, os, platform, sys, sysconfig
print(json.dumps({
    'executable': sys.executable,
    'implementation': platform.python_implementation(),
    'version': list(sys.version_info[:3]),
    'prefixes': [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix],
    'libraries': [sysconfig.get_path('stdlib'), sysconfig.get_path('platstdlib')],
}))",
];

/// With `site` this time: exactly what code in the sandbox could import.
const PACKAGES: [&str; 3] = [
    "-I",
    "-c",
    "import json
from importlib.metadata import distributions
print(json.dumps({d.metadata['Name']: d.version for d in distributions() if d.metadata['Name']}))",
];

#[derive(Deserialize)]
struct Identity {
    executable: PathBuf,
    implementation: String,
    version: (u32, u32, u32),
    prefixes: Vec<PathBuf>,
    libraries: Vec<PathBuf>,
}

/// A virtual environment is served as it is only where the operator has named it: one that merely comes
/// first on the `PATH` belongs to whatever is being developed.
pub fn examine(candidate: Candidate<'_>) -> Result<Toolchain, Unsuitable> {
    let first = identity(candidate.path)?;
    let real = first
        .executable
        .canonicalize()
        .map_err(|source| Unsuitable::Obscure { path: first.executable.clone(), source })?;
    let environment = candidate.named.then(|| environment_of(&first.executable)).flatten();
    // Resolving the link would turn the environment's interpreter into the bare one.
    let executable = match environment {
        Some(_) => first.executable.clone(),
        None => real.clone(),
    };
    // A shim or a link may have set the scene for its interpreter; what counts is what the
    // interpreter says when it is started directly, as it will be in the sandbox.
    let Identity { executable: _, implementation: _, version, prefixes, libraries } =
        if real == candidate.path { first } else { identity(&real)? };

    let packages = packages(&executable)?;
    let features = packages
        .contains_key("ipython")
        .then(|| String::from("rich_display"))
        .into_iter()
        .collect();
    let needed = links(&executable)
        .chain([real])
        .map(|program| prefix(&program))
        .chain(prefixes)
        .chain(libraries)
        .chain(environment.clone());
    Ok(Toolchain {
        version: dotted(version),
        roots: outside_system(needed),
        executable,
        environment,
        packages,
        features,
    })
}

/// The virtual environment that this interpreter selects by its path: Python looks for a `pyvenv.cfg`
/// beside the program that was started, or one directory above, and does not resolve links before.
fn environment_of(executable: &Path) -> Option<PathBuf> {
    let mut directories = executable.ancestors().skip(1).take(2);
    directories.find(|directory| directory.join("pyvenv.cfg").is_file()).map(Path::to_owned)
}

/// Every file on the way from a link to what it leads to in the end: each must exist in the sandbox.
fn links(program: &Path) -> impl Iterator<Item = PathBuf> {
    let next = |link: &PathBuf| {
        let target = link.read_link().ok()?;
        Some(link.parent()?.join(target))
    };
    // The system has no longer chains either (ELOOP).
    std::iter::successors(Some(program.to_owned()), next).take(40)
}

fn identity(program: &Path) -> Result<Identity, Unsuitable> {
    let stranger = Unsuitable::Stranger { expected: EXPECTED };
    let answer = ask(program, &IDENTITY, "")?;
    let Ok(identity) = serde_json::from_str::<Identity>(&answer.stdout) else {
        return Err(stranger);
    };
    if identity.implementation != "CPython" {
        return Err(stranger);
    }
    version::check(&dotted(identity.version), OLDEST, EXPECTED)?;
    Ok(identity)
}

fn dotted((major, minor, patch): (u32, u32, u32)) -> String {
    format!("{major}.{minor}.{patch}")
}

fn packages(executable: &Path) -> Result<BTreeMap<String, String>, Unsuitable> {
    let answer = ask(executable, &PACKAGES, "")?;
    serde_json::from_str(&answer.stdout)
        .map_err(|_| Unsuitable::Stranger { expected: "CPython 3 with importlib.metadata" })
}
