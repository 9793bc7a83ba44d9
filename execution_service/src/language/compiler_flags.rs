//! Which flags a request may give a compiler.

/// The flags that a compiled language allows. The rest is refused: not because it would be dangerous
/// (the compiler runs in the sandbox, too) but because a typing error should have a clear answer.
#[derive(Clone, Copy, Debug)]
pub struct CompilerFlags {
    /// Exactly so; lists of them.
    pub exact: &'static [&'static [&'static str]],
    /// Beginnings, to be followed by letters, digits and `_-=+."`, and by at least one of those; or that
    /// alone, with the rest as the next flag.
    pub prefixes: &'static [&'static str],
    /// The same, to be followed by the path of a folder in the workspace.
    pub folders: &'static [&'static str],
    /// How a source ends that may be named among them, by its path in the workspace.
    pub sources: &'static [&'static str],
    /// Those that deserve a reason.
    pub refused: &'static [Refused],
}

/// Flags that are refused for a reason of their own.
#[derive(Clone, Copy, Debug)]
pub struct Refused {
    /// How they begin.
    pub beginning: &'static str,
    /// Why there is no such thing here.
    pub why: &'static str,
}

/// A compiler flag that cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlagError {
    /// It is not on the list.
    #[error("{flag:?} is not allowed{}; compiler_flags in GET /v1/languages lists all that are", reason(.why, .similar))]
    NotAllowed {
        /// As it was given.
        flag: String,
        /// Where there is more to say than that.
        why: Option<&'static str>,
        /// Those that begin as it does.
        similar: Vec<String>,
    },
    /// The language has no list.
    #[error("{0} has no compiler to give flags to; leave compiler_flags out")]
    NoCompiler(&'static str),
}

fn reason(why: &Option<&'static str>, similar: &[String]) -> String {
    match why {
        Some(why) => format!(": {why}"),
        None if similar.is_empty() => String::new(),
        None => format!("; it could be {}", similar.join(", ")),
    }
}

impl CompilerFlags {
    /// For a language whose runs take none.
    pub const NONE: Self =
        Self { exact: &[], prefixes: &[], folders: &[], sources: &[], refused: &[] };

    /// Checks the flags of a request.
    ///
    /// # Errors
    /// [`FlagError::NotAllowed`] with the first one that is not on the list.
    pub fn check(&self, flags: &[String]) -> Result<(), FlagError> {
        match self.joined(flags).into_iter().find(|flag| !self.allows(flag)) {
            Some(flag) => Err(FlagError::NotAllowed {
                why: self.why_not(&flag),
                similar: self.similar(&flag),
                flag,
            }),
            None => Ok(()),
        }
    }

    /// The flags in one piece each: `-D`, `N=3` is `-DN=3`.
    pub fn joined(&self, flags: &[String]) -> Vec<String> {
        let mut joined: Vec<String> = Vec::with_capacity(flags.len());
        let mut flags = flags.iter();
        while let Some(flag) = flags.next() {
            let mut flag = flag.clone();
            if self.takes_the_next(&flag)
                && let Some(next) = flags.next()
            {
                flag.push_str(next);
            }
            joined.push(flag);
        }
        joined
    }

    /// Whether it names a source of the workspace.
    pub fn is_source(&self, flag: &str) -> bool {
        let ending = flag.rsplit_once('.').map(|(_, ending)| ending);
        ending.is_some_and(|ending| self.sources.contains(&ending)) && is_below(flag)
    }

    fn takes_the_next(&self, flag: &str) -> bool {
        self.folders.contains(&flag)
            || (self.prefixes.contains(&flag) && flag.len() == 2 && flag != "-W")
    }

    fn allows(&self, flag: &str) -> bool {
        let rests = |beginnings: &'static [&'static str]| {
            beginnings.iter().filter_map(move |beginning| flag.strip_prefix(beginning))
        };
        self.exact.iter().any(|list| list.contains(&flag))
            || rests(self.prefixes).any(|rest| !rest.is_empty() && is_harmless(rest))
            || rests(self.folders).any(is_below)
            || self.is_source(flag)
    }

    fn why_not(&self, flag: &str) -> Option<&'static str> {
        self.refused.iter().find(|it| flag.starts_with(it.beginning)).map(|it| it.why)
    }

    /// With the same beginning, up to what a flag says: those of `-std=c++17` are all standards.
    fn similar(&self, flag: &str) -> Vec<String> {
        let beginning = flag.split_inclusive('=').next().unwrap_or(flag);
        let is_similar = |other: &String| beginning.len() > 2 && other.starts_with(beginning);
        self.shown().into_iter().filter(is_similar).collect()
    }

    /// The list for people: a prefix ends with an ellipsis, and a source begins with one.
    pub fn shown(&self) -> Vec<String> {
        let exact = self.exact.iter().flat_map(|list| list.iter()).map(|flag| String::from(*flag));
        let prefixes = self.prefixes.iter().chain(self.folders).map(|prefix| format!("{prefix}…"));
        exact
            .chain(prefixes)
            .chain(self.sources.iter().map(|ending| format!("….{ending}")))
            .collect()
    }
}

/// Without the comma by which compilers hand words to other programs (`-Wl,…`), and without any sign
/// that a response file (`@file`) would know.
fn is_harmless(rest: &str) -> bool {
    rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-=+.\"".contains(&byte))
}

/// A path that stays in the workspace by what it says; a link on the way is the sandbox's business.
fn is_below(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-+./".contains(&byte);
    let clean = |part: &str| !part.is_empty() && part != "..";
    let path = path.strip_suffix('/').unwrap_or(path);
    !path.is_empty()
        && !path.starts_with('-')
        && path.bytes().all(plain)
        && path.split('/').all(clean)
}
