//! What a worker really is.

use std::collections::BTreeMap;

use crate::domain::language::Language;
use crate::domain::limits::Limits;

/// A worker's own account of itself.
#[derive(Debug, Clone)]
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
    /// Compiler flags that C runs may use.
    pub compiler_flags: Vec<String>,
}

/// A language that runs.
#[derive(Debug, Clone)]
pub struct LanguageInfo {
    /// Which.
    pub language: Language,
    /// Of the interpreter or the compiler.
    pub version: String,
    /// Packages that can be imported, with their versions.
    pub packages: BTreeMap<String, String>,
    /// What else it can do: `session`, `typescript`, ….
    pub features: Vec<String>,
}

/// A language that does not run.
#[derive(Debug, Clone)]
pub struct MissingLanguage {
    /// Which.
    pub language: Language,
    /// Why.
    pub reason: String,
    /// What the operator can do about it.
    pub remedy: String,
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
