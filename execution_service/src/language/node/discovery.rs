//! Node.js 18 or newer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::language::Language;
use crate::language::discovery::{Toolchain, Unsuitable};
use crate::language::toolchain::probe::ask;
use crate::language::toolchain::roots::{outside_system, prefix};

const IDENTITY: [&str; 2] = [
    "-p",
    "JSON.stringify({
        executable: process.execPath,
        version: process.versions.node,
        typescript: typeof require('node:module').stripTypeScriptTypes === 'function',
    })",
];

#[derive(Deserialize)]
struct Identity {
    executable: PathBuf,
    version: String,
    typescript: bool,
}

pub fn examine(candidate: &Path) -> Result<Toolchain, Unsuitable> {
    let answer = ask(candidate, &IDENTITY, "")?;
    let stranger = || Unsuitable::Stranger { expected: "Node.js" };
    let Identity { executable, version, typescript } =
        serde_json::from_str(&answer.stdout).map_err(|_| stranger())?;
    let major: u32 =
        version.split('.').next().and_then(|major| major.parse().ok()).ok_or_else(stranger)?;
    if major < 18 {
        return Err(Unsuitable::TooOld { version, minimum: "18" });
    }
    let executable = executable
        .canonicalize()
        .map_err(|source| Unsuitable::Obscure { path: executable, source })?;
    Ok(Toolchain {
        language: Language::Node,
        version,
        roots: outside_system([prefix(&executable)]),
        executable,
        environment: None,
        packages: BTreeMap::new(),
        features: typescript.then(|| String::from("typescript")).into_iter().collect(),
    })
}
