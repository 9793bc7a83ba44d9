//! What a credential allows.

use std::fmt;

/// One right. A sign-in holds all that its user may; an API key holds those it was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Run code and cancel runs.
    Run,
    /// Create and end sessions.
    Sessions,
    /// Look at executions and sessions.
    Read,
    /// Make, list and delete API keys.
    Keys,
    /// Make users. Only a user who is an administrator can hold it.
    Admin,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Run, Self::Sessions, Self::Read, Self::Keys, Self::Admin];

    /// What an API key gets when its maker names no scopes.
    pub const OF_NEW_KEYS: [Self; 3] = [Self::Run, Self::Sessions, Self::Read];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Sessions => "sessions",
            Self::Read => "read",
            Self::Keys => "keys",
            Self::Admin => "admin",
        }
    }

    /// By its name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == text)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing, not even a credential.
    Public,
    /// Any valid credential.
    SignedIn,
    /// A credential that holds this scope.
    Needs(Scope),
}
