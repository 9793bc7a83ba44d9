//! GNU bash 5 or newer.

use std::path::Path;

use crate::language::toolchain::probe::ask;
use crate::language::toolchain::{Candidate, Toolchain, Unsuitable, version};

/// What our kernel is written for.
pub const OLDEST: &str = "5";

const EXPECTED: &str = "GNU bash";

const IDENTITY: [&str; 4] =
    ["--norc", "--noprofile", "-c", r#"printf '%s\n' "$BASH" "${BASH_VERSINFO[@]:0:3}""#];

pub fn examine(candidate: Candidate<'_>) -> Result<Toolchain, Unsuitable> {
    let answer = ask(candidate.path, &IDENTITY, "")?;
    let lines: Vec<&str> = answer.stdout.lines().collect();
    let &[executable, major, minor, patch] = lines.as_slice() else {
        return Err(Unsuitable::Stranger { expected: EXPECTED });
    };
    let version = format!("{major}.{minor}.{patch}");
    version::check(&version, OLDEST, EXPECTED)?;
    let executable = Path::new(executable)
        .canonicalize()
        .map_err(|source| Unsuitable::Obscure { path: executable.into(), source })?;
    Ok(Toolchain::bare(executable, version))
}
