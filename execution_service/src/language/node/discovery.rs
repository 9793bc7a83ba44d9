//! Node.js 18 or newer.

use std::path::PathBuf;

use serde::Deserialize;

use crate::language::toolchain::probe::ask;
use crate::language::toolchain::{Candidate, Toolchain, Unsuitable, version};

/// The oldest that has what our kernel uses.
pub const OLDEST: &str = "18";

const EXPECTED: &str = "Node.js";

const IDENTITY: [&str; 2] = [
    "-p",
    "JSON.stringify({
        executable: process.execPath,
        version: process.versions.node,
        typescript: typeof require('node:module').stripTypeScriptTypes === 'function',
        parser: typeof process.binding('natives')['internal/deps/acorn/acorn/dist/acorn'] === 'string',
    })",
];

#[derive(Deserialize)]
struct Identity {
    executable: PathBuf,
    version: String,
    parser: bool,
    typescript: bool,
}

pub fn examine(candidate: Candidate<'_>) -> Result<Toolchain, Unsuitable> {
    let answer = ask(candidate.path, &IDENTITY, "")?;
    let Identity { executable, version, typescript, parser } = serde_json::from_str(&answer.stdout)
        .map_err(|_| Unsuitable::Stranger { expected: EXPECTED })?;
    version::check(&version, OLDEST, EXPECTED)?;
    if !parser {
        // The kernel takes it from there: see runtimes/node/kernel/acorn.cjs.
        return Err(Unsuitable::Incomplete("this Node was built without its parser, acorn"));
    }
    let executable = executable
        .canonicalize()
        .map_err(|source| Unsuitable::Obscure { path: executable, source })?;
    let features = typescript.then(|| String::from("typescript")).into_iter().collect();
    Ok(Toolchain { features, ..Toolchain::bare(executable, version) })
}
