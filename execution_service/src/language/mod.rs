//! The languages that code can be sent in. One folder holds all that is particular to one: its
//! descriptor, its plan (source text in, files and commands out) and how it is found on a machine.
//!
//! ```text
//! ALL ──▶ a folder for each ──▶ descriptor ──▶ kernel or compiled: the plan, pure data
//!                                         └──▶ toolchain: what was found, and asking for it
//! discovery ──▶ the same, for all languages that are wanted; knows none by name
//! toolchains ─▶ all that was found, at one time
//! ```
//! `docs/languages.md` says how to add one.

pub mod bash;
pub mod c;
mod compiled;
mod compiler_flags;
pub mod cpp;
mod descriptor;
pub mod diagnostic;
pub mod discovery;
mod environment;
mod gcc;
mod kernel;
pub mod node;
mod program;
pub mod python;
mod request_place;
mod run_message;
pub mod toolchain;
mod toolchains;
pub mod typescript;

pub use compiled::CompiledLanguage;
pub use compiler_flags::{CompilerFlags, FlagError};
pub use descriptor::{Approach, Descriptor, Language, VirtualEnvironment};
pub use environment::environment;
pub use kernel::{Channel, KernelLanguage, KernelRequest, KernelStart};
pub use program::{Mode, Program};
pub use request_place::RequestPlace;
pub use toolchains::Toolchains;

impl Language {
    /// Every language, in the order in which they are shown.
    pub const ALL: [Self; 6] =
        [python::PYTHON, node::NODE, typescript::TYPESCRIPT, bash::BASH, c::C, cpp::CPP];

    /// What a setting lists: names separated by commas, each language once; `*` is all of them.
    ///
    /// # Errors
    /// What the list must be, when a name in it is none.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        if text == "*" {
            return Ok(Self::ALL.to_vec());
        }
        let mut languages = Vec::new();
        for name in text.split(',').map(str::trim) {
            let language = Self::find(name).ok_or_else(|| {
                let [others @ .., last] = Self::ALL.map(Self::name);
                format!("must be * or a comma-separated choice of {} and {last}", others.join(", "))
            })?;
            if !languages.contains(&language) {
                languages.push(language);
            }
        }
        Ok(languages)
    }

    /// The variables by which the operator names what runs each of them, separated by commas.
    pub fn executable_variables() -> String {
        let mut variables =
            Self::ALL.map(|language| language.descriptor().executable_variable).to_vec();
        variables.dedup(); // of two languages with one interpreter
        variables.join(", ")
    }

    /// By its name; aliases are for callers, and resolved by the gateway.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.name() == name)
    }
}
