//! What there is to know of one language, and the handle by which everything else speaks of it.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};

use super::compiled::CompiledLanguage;
use super::compiler_flags::FlagError;
use super::kernel::KernelLanguage;
use super::toolchain::{Candidate, Toolchain, Unsuitable};

/// Everything about one language; each folder below `language/` makes one.
pub struct Descriptor {
    /// The name that the API uses: lower-case letters and digits.
    pub name: &'static str,
    /// Its name in sentences.
    pub title: &'static str,
    /// Other names that callers may use.
    pub aliases: &'static [&'static str],
    /// A program that prints 42; shown to whoever has just started the service.
    pub example: &'static str,
    /// What its interpreter or compiler is called on the `PATH`, the best name first.
    pub executables: &'static [&'static str],
    /// The environment variable by which the operator names one instead.
    pub executable_variable: &'static str,
    /// The command that installs it.
    pub install: &'static str,
    /// The oldest version that will do, where that is known.
    pub oldest: Option<&'static str>,
    /// How packages of the operator's own are brought along, where the language has a way.
    pub virtual_environment: Option<VirtualEnvironment>,
    /// Asks a candidate what it is, and judges the answer.
    pub examine: fn(Candidate<'_>) -> Result<Toolchain, Unsuitable>,
    /// How it is run.
    pub approach: Approach,
}

/// A directory with an interpreter and packages of its own.
#[derive(Clone, Copy, Debug)]
pub struct VirtualEnvironment {
    /// The interpreter's path in it.
    pub executable: &'static str,
    /// The environment variable by which the operator names one.
    pub variable: &'static str,
}

/// The two ways to run a language.
#[derive(Clone, Copy)]
pub enum Approach {
    /// By a warm interpreter.
    Kernel(&'static dyn KernelLanguage),
    /// By a compiler and then the program.
    Compiled(&'static dyn CompiledLanguage),
}

/// A language that code can be sent in: its [`Descriptor`], compared by name.
#[derive(Clone, Copy)]
pub struct Language(&'static Descriptor);

impl Language {
    /// The language that `descriptor` describes.
    pub const fn new(descriptor: &'static Descriptor) -> Self {
        Self(descriptor)
    }

    /// All that is known of it.
    pub const fn descriptor(self) -> &'static Descriptor {
        self.0
    }

    /// The name that the API uses.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// Other names that callers may use.
    pub fn aliases(self) -> &'static [&'static str] {
        self.0.aliases
    }

    /// How it is run.
    pub fn approach(self) -> Approach {
        self.0.approach
    }

    /// What a zygote loads unless the operator names something else, given the installed `packages`
    /// with their versions; all that is usual where they are not known yet.
    pub fn usual_libraries(self, packages: Option<&BTreeMap<String, String>>) -> Vec<String> {
        match self.approach() {
            Approach::Kernel(kernel) => kernel.usual_libraries(packages),
            Approach::Compiled(_) => Vec::new(),
        }
    }

    /// Checks the compiler flags of a request.
    ///
    /// # Errors
    /// The first one that is not allowed; any, for a language without a compiler.
    pub fn check_compiler_flags(self, flags: &[String]) -> Result<(), FlagError> {
        match self.approach() {
            Approach::Compiled(compiled) => compiled.flags().check(flags),
            Approach::Kernel(_) if flags.is_empty() => Ok(()),
            Approach::Kernel(_) => Err(FlagError::NoCompiler(self.0.title)),
        }
    }
}

impl PartialEq for Language {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Language {}

impl Hash for Language {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl Ord for Language {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name().cmp(other.name())
    }
}

impl PartialOrd for Language {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
