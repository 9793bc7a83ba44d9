//! Which flags a request may give a compiler.

/// The flags that a compiled language allows. The rest is refused: not because it would be dangerous
/// (the compiler runs in the sandbox, too) but because a typing error should have a clear answer.
#[derive(Clone, Copy, Debug)]
pub struct CompilerFlags {
    /// Exactly so.
    pub exact: &'static [&'static str],
    /// Beginnings, to be followed by letters, digits and `_-=+.`, and by at least one of those.
    pub prefixes: &'static [&'static str],
}

/// A compiler flag that cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlagError {
    /// It is not on the list.
    #[error("{0:?} is not allowed; see compiler_flags in GET /v1/languages")]
    NotAllowed(String),
    /// The language has no list.
    #[error("{0} has no compiler to give flags to; leave compiler_flags out")]
    NoCompiler(&'static str),
}

impl CompilerFlags {
    /// Checks the flags of a request.
    ///
    /// # Errors
    /// [`FlagError::NotAllowed`] with the first one that is not on the list.
    pub fn check(&self, flags: &[String]) -> Result<(), FlagError> {
        match flags.iter().find(|flag| !self.allows(flag)) {
            Some(flag) => Err(FlagError::NotAllowed(flag.clone())),
            None => Ok(()),
        }
    }

    fn allows(&self, flag: &str) -> bool {
        self.exact.contains(&flag)
            || self.prefixes.iter().any(|prefix| {
                flag.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty() && is_harmless(rest))
            })
    }

    /// The list for people: a prefix ends with an ellipsis.
    pub fn shown(&self) -> Vec<String> {
        let exact = self.exact.iter().map(|flag| String::from(*flag));
        exact.chain(self.prefixes.iter().map(|prefix| format!("{prefix}…"))).collect()
    }
}

/// Without the comma by which compilers hand words to other programs (`-Wl,…`), and without any sign
/// that a shell or a response file (`@file`) would know.
fn is_harmless(rest: &str) -> bool {
    rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-=+.".contains(&byte))
}
