//! Python: CPython 3.8 or newer, bare or in a virtual environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::question::ask;
use super::roots::outside_system;
use super::{Toolchain, Unsuitable};
use crate::language::Language;

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

pub(super) fn examine(
    candidate: &Path,
    environment: Option<&Path>,
) -> Result<Toolchain, Unsuitable> {
    let private = environment.filter(|environment| candidate.starts_with(environment));
    let first = identity(candidate)?;
    let real = first
        .executable
        .canonicalize()
        .map_err(|source| Unsuitable::Obscure { path: first.executable.clone(), source })?;
    // A shim or a link may have set the scene for its interpreter; what counts is what the
    // interpreter says when it is started directly, as it will be in the sandbox.
    let Identity { executable: _, implementation: _, version, prefixes, libraries } =
        if real == candidate { first } else { identity(&real)? };

    // pyvenv.cfg is looked for beside the path that was started: resolving the link would turn the
    // environment's interpreter into the bare one.
    let executable = match private {
        Some(_) => candidate.to_owned(),
        None => real.clone(),
    };
    let packages = packages(&executable)?;
    let features = packages
        .contains_key("ipython")
        .then(|| String::from("rich_display"))
        .into_iter()
        .collect();
    let needed = [super::roots::prefix(&real)]
        .into_iter()
        .chain(prefixes)
        .chain(libraries)
        .chain(private.map(Path::to_owned));
    let (major, minor, patch) = version;
    Ok(Toolchain {
        language: Language::Python,
        executable,
        version: format!("{major}.{minor}.{patch}"),
        roots: outside_system(needed),
        packages,
        features,
    })
}

fn identity(program: &Path) -> Result<Identity, Unsuitable> {
    let stranger = Unsuitable::Stranger { expected: "CPython 3" };
    let answer = ask(program, &IDENTITY, "")?;
    let Ok(identity) = serde_json::from_str::<Identity>(&answer.stdout) else {
        return Err(stranger);
    };
    if identity.implementation != "CPython" {
        return Err(stranger);
    }
    let (major, minor, patch) = identity.version;
    if (major, minor) < (3, 8) {
        let version = format!("{major}.{minor}.{patch}");
        return Err(Unsuitable::TooOld { version, minimum: "3.8" });
    }
    Ok(identity)
}

fn packages(executable: &Path) -> Result<BTreeMap<String, String>, Unsuitable> {
    let answer = ask(executable, &PACKAGES, "")?;
    serde_json::from_str(&answer.stdout)
        .map_err(|_| Unsuitable::Stranger { expected: "CPython 3 with importlib.metadata" })
}
