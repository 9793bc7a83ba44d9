//! What went wrong, for a model that must repair its code; the same in every language.

use serde::Deserialize;

/// One error: what it is, where in the source text, and what could mend it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Diagnostic {
    /// Which sort.
    pub kind: Kind,
    /// `ZeroDivisionError`, `SIGSEGV`, `wall_time`.
    pub name: String,
    /// In the language's own words.
    pub message: String,
    /// As the language names it.
    #[serde(default)]
    pub file: Option<String>,
    /// From 1.
    #[serde(default)]
    pub line: Option<u32>,
    /// From 1.
    #[serde(default)]
    pub column: Option<u32>,
    /// The user's own frames.
    #[serde(default)]
    pub traceback: Option<String>,
    /// The name that could not be imported.
    #[serde(default)]
    pub missing_module: Option<String>,
    /// Whether the same code may succeed on another try.
    #[serde(default)]
    pub retryable: bool,
    /// What to do about it.
    #[serde(default)]
    pub hint: Option<String>,
    /// The operating system's error number, where that is the reason. Not sent on: it decides the
    /// status.
    #[serde(default)]
    pub errno: Option<i32>,
}

/// Sorts of diagnostics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The language raised or threw something that nobody caught.
    Exception,
    /// The source could not be parsed.
    Syntax,
    /// The compiler refused.
    Compile,
    /// One of the run's limits.
    Limit,
    /// A signal ended the program.
    Signal,
    /// The program ended with a status other than 0.
    Exit,
}

impl Kind {
    /// The word used on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exception => "exception",
            Self::Syntax => "syntax",
            Self::Compile => "compile",
            Self::Limit => "limit",
            Self::Signal => "signal",
            Self::Exit => "exit",
        }
    }
}

impl Diagnostic {
    /// With nothing but these three.
    pub fn new(kind: Kind, name: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            message: message.into(),
            file: None,
            line: None,
            column: None,
            traceback: None,
            missing_module: None,
            retryable: false,
            hint: None,
            errno: None,
        }
    }

    /// What Python says when memory cannot be had; the run's verdict adds how much there was.
    pub fn no_memory() -> Self {
        Self::new(Kind::Exception, Self::NO_MEMORY, "not enough memory")
    }

    /// Its name, by which a verdict knows it.
    pub const NO_MEMORY: &str = "MemoryError";

    /// With every text cut to a length that anybody would read.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        let cut = |text: &mut String, most: usize| text.truncate(text.floor_char_boundary(most));
        cut(&mut self.name, 256);
        cut(&mut self.message, 16 << 10);
        let rest = [
            (&mut self.file, 4 << 10),
            (&mut self.traceback, 256 << 10),
            (&mut self.missing_module, 256),
            (&mut self.hint, 4 << 10),
        ];
        for (text, most) in rest {
            if let Some(text) = text {
                cut(text, most);
            }
        }
        self
    }

    /// With advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn texts_are_cut_between_characters(
            character in any::<char>(), times in 0_usize..400_000,
        ) {
            let text = String::from(character).repeat(times);
            let mut long = Diagnostic::new(Kind::Exception, text.clone(), text.clone()).hint(text.clone());
            (long.file, long.traceback) = (Some(text.clone()), Some(text.clone()));
            long.missing_module = Some(text.clone());
            let bounded = long.bounded();
            prop_assert!(text.starts_with(&bounded.name) && bounded.name.len() <= 256);
            prop_assert!(text.starts_with(&bounded.message) && bounded.message.len() <= 16 << 10);
            let traceback = bounded.traceback.clone().unwrap_or_default();
            prop_assert!(text.starts_with(&traceback) && traceback.len() <= 256 << 10);
            prop_assert_eq!(bounded.clone().bounded(), bounded);
        }
    }
}
