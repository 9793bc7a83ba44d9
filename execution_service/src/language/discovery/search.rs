//! Where candidates are looked for.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::language::descriptor::Language;

/// The places in which candidates are looked for.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// The executables that the operator insists on. One that would not do is an error, never a
    /// reason to take something else.
    pub named: BTreeMap<Language, PathBuf>,
    /// The directories of `PATH`, in order.
    pub path: Vec<PathBuf>,
    /// Directories to be looked into after those.
    pub well_known: Vec<PathBuf>,
}

/// Files that may be what a language needs.
#[derive(Debug)]
pub(super) struct Candidates {
    /// Best first, none twice.
    pub(super) paths: Vec<PathBuf>,
    /// How the operator has named the only one.
    pub(super) named_by: Option<NamedBy>,
}

/// The two ways to name an interpreter.
#[derive(Clone, Copy, Debug)]
pub(super) enum NamedBy {
    /// By the variable of this name, or its flag.
    Environment(&'static str),
    /// By the variable of this name.
    Executable(&'static str),
}

impl Search {
    /// As the process environment and the file system say, for the `wanted` languages.
    pub fn from_env(wanted: &[Language]) -> Self {
        let named = |language: &Language| {
            let path = std::env::var_os(language.descriptor().executable_variable)?;
            (!path.is_empty()).then(|| (*language, PathBuf::from(path)))
        };
        let path = std::env::var_os("PATH").unwrap_or_default();
        Self {
            named: wanted.iter().filter_map(named).collect(),
            path: std::env::split_paths(&path).filter(|entry| entry.is_absolute()).collect(),
            well_known: well_known(),
        }
    }

    /// Just the one that the operator names, and otherwise those that exist.
    pub(super) fn candidates(&self, language: Language, environment: Option<&Path>) -> Candidates {
        let descriptor = language.descriptor();
        if let (Some(kind), Some(environment)) = (descriptor.virtual_environment, environment) {
            let paths = vec![environment.join(kind.executable)];
            return Candidates { paths, named_by: Some(NamedBy::Environment(kind.variable)) };
        }
        if let Some(named) = self.named.get(&language) {
            let by = NamedBy::Executable(descriptor.executable_variable);
            return Candidates { paths: vec![named.clone()], named_by: Some(by) };
        }
        let mut paths = Vec::new();
        for directory in self.path.iter().chain(&self.well_known) {
            for name in descriptor.executables {
                let path = directory.join(name);
                if path.is_file() && !paths.contains(&path) {
                    paths.push(path);
                }
            }
        }
        Candidates { paths, named_by: None }
    }
}

/// `/usr/bin`, `/usr/local/bin` and the `bin` of everything in `/opt`, in alphabetical order.
fn well_known() -> Vec<PathBuf> {
    let mut optional: Vec<PathBuf> = std::fs::read_dir("/opt")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .filter(|directory| directory.file_name() == Some(OsStr::new("bin")) && directory.is_dir())
        .collect();
    optional.sort();
    ["/usr/bin", "/usr/local/bin"].into_iter().map(PathBuf::from).chain(optional).collect()
}
