//! What a worker really is.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::language::LanguageName;
use crate::domain::limits::Limits;

/// A worker's own account of itself.
#[derive(Debug, Clone, Default)]
pub struct Capabilities {
    /// New at every start of the worker: sessions of another instance are gone.
    pub instance_id: String,
    /// Languages that run there.
    pub languages: Vec<LanguageInfo>,
    /// Languages that do not, and why.
    pub missing: Vec<MissingLanguage>,
    /// `full` or `degraded`.
    pub isolation: String,
    /// Every layer of the isolation.
    pub walls: Vec<Wall>,
    /// Limits of a run that names none.
    pub default_limits: Limits,
    /// The highest that a run may ask for.
    pub max_limits: Limits,
}

impl Capabilities {
    /// The language that goes by `name`, when it runs there.
    pub fn language(&self, name: &LanguageName) -> Option<&LanguageInfo> {
        self.languages.iter().find(|info| info.goes_by(name))
    }
}

/// A language that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LanguageInfo {
    /// What it is called.
    pub name: LanguageName,
    /// What else it goes by.
    pub aliases: Vec<LanguageName>,
    /// Of the interpreter or the compiler.
    pub version: String,
    /// Packages that can be imported, with their versions.
    pub packages: BTreeMap<String, String>,
    /// What else it can do: `session`, `typescript`, ….
    pub features: Vec<String>,
    /// How long it may compile before each run; zero where it does not.
    pub compile: Duration,
    /// Compiler flags that a request may name; none where it takes none.
    pub compiler_flags: Vec<String>,
}

impl LanguageInfo {
    /// A language that can nothing but run.
    pub fn named(name: LanguageName) -> Self {
        Self {
            name,
            aliases: Vec::new(),
            version: String::new(),
            packages: BTreeMap::new(),
            features: Vec::new(),
            compile: Duration::ZERO,
            compiler_flags: Vec::new(),
        }
    }

    /// True when it or an alias of it is called so.
    pub fn goes_by(&self, name: &LanguageName) -> bool {
        self.name == *name || self.aliases.contains(name)
    }
}

/// A language that does not run.
#[derive(Debug, Clone)]
pub struct MissingLanguage {
    /// What it is called.
    pub name: LanguageName,
    /// What else it goes by.
    pub aliases: Vec<LanguageName>,
    /// Why.
    pub reason: String,
    /// What the operator can do about it.
    pub remedy: String,
}

impl MissingLanguage {
    /// True when it or an alias of it is called so.
    pub fn goes_by(&self, name: &LanguageName) -> bool {
        self.name == *name || self.aliases.contains(name)
    }
}

/// One layer of the isolation.
#[derive(Debug, Clone)]
pub struct Wall {
    /// What it is called.
    pub name: String,
    /// `enforced`, `best_effort` or `missing`.
    pub state: String,
    /// What was seen when the worker tried it.
    pub detail: String,
    /// What the operator can do about it, unless it is enforced.
    pub remedy: Option<String>,
}
