//! A run of which no test needs to know more.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::limits::{Limits, RequestedLimits};
use super::outcome::Accounting;
use super::request::Request;
use super::run::RunSettings;
use crate::language::discovery::{Discovery, Found};
use crate::language::toolchain::Toolchain;
use crate::language::{Language, Toolchains};
use crate::sandbox::fake;

/// So long that only a test that hangs meets it.
pub const LIMITS: Limits = Limits {
    wall: Duration::from_secs(60),
    cpu: Duration::from_secs(60),
    output_bytes: 1 << 20,
    sandbox: fake::LIMITS,
};

/// As under cgroups.
pub const SETTINGS: RunSettings = RunSettings {
    hard_output: 16 << 20,
    compile_wall: Duration::from_secs(60),
    accounting: Accounting::Enforced,
};

/// Of these languages, each with its program in `/usr/bin`; zygotes load `libraries`.
pub fn toolchains(languages: &[Language], libraries: &[&str]) -> Arc<Toolchains> {
    let found = languages.iter().map(|language| Found {
        language: *language,
        toolchain: Toolchain::bare(
            PathBuf::from("/usr/bin").join(language.descriptor().executables[0]),
            String::from("3.11.2"),
        ),
    });
    let discovery = Discovery { found: found.collect(), ..Discovery::default() };
    let libraries: Vec<_> = libraries.iter().copied().map(String::from).collect();
    Arc::new(Toolchains::new(&discovery, Some(&libraries)))
}

/// Of `ann`, called `run`.
pub fn request(language: Language, code: &str) -> Request {
    Request {
        id: String::from("run"),
        owner: String::from("ann"),
        language,
        code: String::from(code),
        stdin: Vec::new(),
        input: None,
        args: Vec::new(),
        env: BTreeMap::new(),
        files: Vec::new(),
        network: None,
        limits: RequestedLimits::default(),
        compiler_flags: Vec::new(),
        collect: None,
        large_results: None,
        report_changes: false,
    }
}
