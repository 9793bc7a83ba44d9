//! A run of which no test needs to know more.

use std::collections::BTreeMap;
use std::time::Duration;

use super::limits::{Limits, RequestedLimits};
use super::outcome::Accounting;
use super::request::Request;
use super::run::RunSettings;
use crate::language::Language;
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
        limits: RequestedLimits::default(),
        compiler_flags: Vec::new(),
        collect: None,
        large_results: None,
        report_changes: false,
    }
}
