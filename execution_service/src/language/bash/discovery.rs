//! GNU bash 5 or newer.

use std::collections::BTreeMap;
use std::path::Path;

use crate::language::Language;
use crate::language::discovery::{Toolchain, Unsuitable};
use crate::language::toolchain::probe::ask;
use crate::language::toolchain::roots::{outside_system, prefix};

const IDENTITY: [&str; 4] =
    ["--norc", "--noprofile", "-c", r#"printf '%s\n' "$BASH" "${BASH_VERSINFO[@]:0:3}""#];

pub fn examine(candidate: &Path) -> Result<Toolchain, Unsuitable> {
    let answer = ask(candidate, &IDENTITY, "")?;
    let stranger = || Unsuitable::Stranger { expected: "GNU bash" };
    let lines: Vec<&str> = answer.stdout.lines().collect();
    let &[executable, major, minor, patch] = lines.as_slice() else {
        return Err(stranger());
    };
    let version = format!("{major}.{minor}.{patch}");
    if major.parse::<u32>().map_err(|_| stranger())? < 5 {
        return Err(Unsuitable::TooOld { version, minimum: "5" });
    }
    let executable = Path::new(executable)
        .canonicalize()
        .map_err(|source| Unsuitable::Obscure { path: executable.into(), source })?;
    Ok(Toolchain {
        language: Language::Bash,
        version,
        roots: outside_system([prefix(&executable)]),
        executable,
        environment: None,
        packages: BTreeMap::new(),
        features: Vec::new(),
    })
}
