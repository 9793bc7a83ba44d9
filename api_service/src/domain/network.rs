//! What programs may reach over the network, and what they have reached.

use crate::domain::timestamp::Timestamp;

/// Hosts in one list, at most.
pub const MAX_HOSTS: usize = 64;
/// Characters of a host as it is written, at most.
pub const MAX_HOST: usize = 260;
/// Hosts with a list of methods, and methods in one list, at most.
pub const MAX_METHODS: usize = 16;
/// Connections at once, at most.
pub const MAX_CONNECTIONS: u32 = 64;

/// What a session or a run may reach. How a host is to be written, and which ones the operator allows, is the
/// worker's to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkPolicy {
    /// False: nothing, whatever the lists say.
    pub allowed: bool,
    /// Hosts.
    pub allow: Vec<String>,
    /// Refused although they are allowed.
    pub deny: Vec<String>,
    /// Hosts that only plain requests with these methods go to.
    pub methods: Vec<(String, Vec<String>)>,
    /// Bytes of all connections together, both ways.
    pub max_bytes: Option<u64>,
    /// At once.
    pub max_connections: Option<u32>,
}

/// What the programs of a session have connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkLog {
    /// Those that are over or were refused, the oldest first.
    pub connections: Vec<Connection>,
    /// How many older ones are forgotten.
    pub forgotten: u64,
}

/// One connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// When it ended or was refused.
    pub at: Timestamp,
    /// As it was asked for.
    pub host: String,
    /// 1 to 65,535.
    pub port: u32,
    /// Bytes that went out.
    pub sent: u64,
    /// Bytes that came.
    pub received: u64,
    /// What became of it.
    pub verdict: ConnectionVerdict,
    /// By which rule it was cut or refused, or why it failed.
    pub reason: Option<String>,
}

/// What became of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionVerdict {
    /// It was made, and is over.
    Allowed,
    /// It was made, and cut by a limit or another policy.
    Cut,
    /// A rule forbids it.
    Refused,
    /// It was allowed, and could not be made.
    Failed,
}

impl ConnectionVerdict {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Allowed, Self::Cut, Self::Refused, Self::Failed];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Cut => "cut",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    /// By its name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.name() == text)
    }
}
