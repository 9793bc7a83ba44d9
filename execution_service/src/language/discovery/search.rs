//! Where candidates are looked for, and what to tell the operator when none would do.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{Missing, PassedOver, Unsuitable};
use crate::language::Language;

/// The places in which candidates are looked for.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// What the operator insists on. An override that would not do is an error, never a reason to
    /// take something else.
    pub overrides: BTreeMap<Language, PathBuf>,
    /// The directories of `PATH`, in order.
    pub path: Vec<PathBuf>,
    /// Directories to be looked into after those.
    pub well_known: Vec<PathBuf>,
    /// The operator's home, which the sandboxes must never see as a whole.
    pub home: Option<PathBuf>,
    /// Where a sandbox has directories of its own, so that nothing of the host's can be there.
    pub covered: Vec<PathBuf>,
}

impl Surroundings {
    /// What every sandbox sees of the host anyway, read-only.
    pub const SYSTEM: [&str; 6] = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/alternatives"];

    /// Where every sandbox has directories of its own.
    pub const COVERED: [&str; 6] =
        ["/tmp", "/var/tmp", "/dev/shm", "/home/user", "/run/crucible", "/opt/crucible/runtimes"];

    /// As the process environment and the file system say.
    pub fn from_env() -> Self {
        let overrides = Language::ALL
            .into_iter()
            .filter_map(|language| {
                let path = std::env::var_os(override_variable(language))?;
                (!path.is_empty()).then(|| (language, PathBuf::from(path)))
            })
            .collect();
        let path = std::env::var_os("PATH").unwrap_or_default();
        Self {
            overrides,
            path: std::env::split_paths(&path).filter(|entry| entry.is_absolute()).collect(),
            well_known: well_known(),
            home: std::env::var_os("HOME").map(PathBuf::from),
            covered: Self::COVERED.map(PathBuf::from).to_vec(),
        }
    }

    /// Files that may be what `language` needs, best first, none twice: just the one that the operator
    /// names, and otherwise those that exist.
    pub(super) fn candidates(
        &self,
        language: Language,
        environment: Option<&Path>,
    ) -> Vec<PathBuf> {
        if let Some(environment) = environment {
            return vec![environment.join("bin/python3")];
        }
        if let Some(insisted) = self.overrides.get(&language) {
            return vec![insisted.clone()];
        }
        let mut candidates = Vec::new();
        for directory in self.path.iter().chain(&self.well_known) {
            let found = names(language)
                .iter()
                .map(|name| directory.join(name))
                .filter(|path| path.is_file() && !candidates.contains(path));
            candidates.extend(found.collect::<Vec<_>>());
        }
        candidates
    }

    /// Refuses what cannot be seen in a sandbox, because something of the sandbox's own is there.
    ///
    /// # Errors
    /// [`Unsuitable::Covered`].
    pub fn uncovered(&self, path: &Path) -> Result<(), Unsuitable> {
        match self.covered.iter().find(|covered| path.starts_with(covered)) {
            Some(by) => Err(Unsuitable::Covered { path: path.to_owned(), by: by.clone() }),
            None => Ok(()),
        }
    }

    /// Refuses a directory whose sharing would show a home or the whole machine, or hide what is the
    /// sandbox's own.
    pub(super) fn fit_to_share(&self, root: &Path) -> Result<(), Unsuitable> {
        if let Some(own) = self.covered.iter().find(|own| own.starts_with(root)) {
            return Err(Unsuitable::Covering { path: root.to_owned(), own: own.clone() });
        }
        let local = self.home.as_ref().map(|home| home.join(".local"));
        let homes = [self.home.as_deref(), local.as_deref(), Some(Path::new("/root"))];
        let too_wide = homes.into_iter().flatten().any(|home| home.starts_with(root))
            || root.parent().is_none_or(|parent| parent == Path::new("/home"))
            || ["/etc", "/home", "/opt", "/proc", "/sys", "/var"]
                .iter()
                .any(|broad| Path::new(broad).starts_with(root));
        if too_wide { Err(Unsuitable::TooWide(root.to_owned())) } else { Ok(()) }
    }

    /// The account of a search that found nothing.
    pub(super) fn missing(
        &self,
        language: Language,
        environment: Option<&Path>,
        passed_over: &[PassedOver],
    ) -> Missing {
        let reason = if passed_over.is_empty() {
            format!("no {} on the PATH or in the usual places", names(language).join(" or "))
        } else {
            passed_over
                .iter()
                .map(|PassedOver { candidate, reason, language: _ }| {
                    format!("{}: {reason}", candidate.display())
                })
                .collect::<Vec<_>>()
                .join("; ")
        };
        let overridden = self.overrides.contains_key(&language);
        let mut remedy = if environment.is_some() {
            // What the launcher has made itself is made again once it is gone.
            String::from(
                "make the environment anew (one in the data directory: delete it and start again), \
                 or name another by PYTHON_ENVIRONMENT",
            )
        } else if overridden {
            let variable = override_variable(language);
            format!("set {variable} to one that will do, or unset it to have one looked for")
        } else {
            String::from(install(language))
        };
        let barrier = passed_over.iter().find_map(|passed| match &passed.reason {
            Unsuitable::OutOfReach { barrier, .. } => Some(barrier.display()),
            _ => None,
        });
        if let Some(barrier) = barrier {
            remedy.push_str(&format!(", or let the sandbox's user in: chmod o+rx {barrier}"));
        }
        let named = environment.is_some() || overridden;
        Missing { language, named, reason, remedy }
    }
}

fn override_variable(language: Language) -> &'static str {
    match language {
        Language::Python => "PYTHON_EXECUTABLE",
        Language::Node => "NODE_EXECUTABLE",
        Language::Bash => "BASH_EXECUTABLE",
        Language::C => "GCC_EXECUTABLE",
    }
}

fn names(language: Language) -> &'static [&'static str] {
    match language {
        Language::Python => &["python3"],
        // Debian's package was called nodejs for years, and its alternative still is.
        Language::Node => &["node", "nodejs"],
        Language::Bash => &["bash"],
        Language::C => &["gcc"],
    }
}

fn install(language: Language) -> &'static str {
    match language {
        Language::Python => "apt-get install python3 (3.8 or newer)",
        Language::Node => "apt-get install nodejs (18 or newer)",
        Language::Bash => "apt-get install bash (5 or newer)",
        Language::C => "apt-get install gcc libc6-dev",
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
