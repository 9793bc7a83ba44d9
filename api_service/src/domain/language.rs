//! The languages that the contract knows. Which of them really run is the worker's to say.

use std::fmt;

/// A language of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    /// CPython.
    Python,
    /// Node.js, for JavaScript (and TypeScript where the Node found can strip types).
    Node,
    /// GNU bash.
    Bash,
    /// C, compiled by gcc.
    C,
}

impl Language {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Python, Self::Node, Self::Bash, Self::C];

    /// The name that answers use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Node => "node",
            Self::Bash => "bash",
            Self::C => "c",
        }
    }

    /// Other names that requests may use.
    pub fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::Python => &["py"],
            Self::Node => &["javascript", "js"],
            Self::Bash => &["shell", "sh"],
            Self::C => &[],
        }
    }

    /// By name or alias.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|language| language.name() == text || language.aliases().contains(&text))
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
