//! A user's lease on one sandbox over many runs.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::context::Context;
use crate::domain::ids::{SessionId, UserId};
use crate::domain::language::LanguageName;
use crate::domain::limits::Limits;
use crate::domain::network::NetworkPolicy;
use crate::domain::timestamp::Timestamp;
use crate::domain::workspace::WorkspaceFile;

/// Time to live of a session that names none.
pub const DEFAULT_TTL: Duration = Duration::from_secs(600);
/// Longest time to live.
pub const MAX_TTL: Duration = Duration::from_secs(24 * 3600);
/// Longest metadata, in bytes of JSON.
pub const MAX_METADATA: usize = 16 << 10;

/// A checked request for a session.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// That of its first context; absent for one that has none until one is used.
    pub language: Option<LanguageName>,
    /// How long it may live, whatever happens in it.
    pub ttl: Duration,
    /// How long it may do nothing; absent for as long as the operator lets any.
    pub idle: Option<Duration>,
    /// Whether it is resumed by its use when it is paused.
    pub auto_resume: bool,
    /// What is in its workspace from the start.
    pub files: Vec<WorkspaceFile>,
    /// Environment of everything that runs in it.
    pub env: BTreeMap<String, String>,
    /// What it may use.
    pub limits: Limits,
    /// What its owner wants to remember with it: a JSON object.
    pub metadata: String,
    /// What it may reach; absent for nothing.
    pub network: Option<NetworkPolicy>,
}

/// A session, as it is remembered. Whether it lives is the worker's to say.
#[derive(Debug, Clone)]
pub struct Session {
    /// Which.
    pub id: SessionId,
    /// Whose.
    pub user: UserId,
    /// The one it was made with, if it was.
    pub language: Option<LanguageName>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// Its owner's note: a JSON object.
    pub metadata: String,
    /// The start of the worker that it lives in, where that was known.
    pub worker_instance: Option<String>,
    /// How far it got.
    pub stage: SessionStage,
}

/// How far a session got, as far as the gateway knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionStage {
    /// The worker has been asked for it and has not answered yet.
    Starting,
    /// The worker has it, or had it when last asked.
    Live,
    /// It is over.
    Ended(EndReason),
}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// Its owner ended it.
    Deleted,
    /// Its time to live or its idle time ran out.
    Expired,
    /// Its sandbox, or its worker, is gone.
    Lost,
}

impl EndReason {
    /// As it is kept.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Expired => "expired",
            Self::Lost => "lost",
        }
    }

    /// By its name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Deleted, Self::Expired, Self::Lost].into_iter().find(|reason| reason.name() == text)
    }
}

/// What a caller is told about a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionStatus {
    /// Waiting for a run.
    Active,
    /// Running one.
    Busy,
    /// Standing still, by its owner's word.
    Paused,
    /// Over: its time ran out.
    Expired,
    /// Over: its sandbox is gone.
    Lost,
}

impl SessionStatus {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Active, Self::Busy, Self::Paused, Self::Expired, Self::Lost];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Busy => "busy",
            Self::Paused => "paused",
            Self::Expired => "expired",
            Self::Lost => "lost",
        }
    }

    /// By its name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == text)
    }
}

/// A session as a caller is told of it.
#[derive(Debug, Clone)]
pub struct SessionView {
    /// As it is remembered.
    pub session: Session,
    /// How it is.
    pub status: SessionStatus,
    /// What the worker says of it, while it lives.
    pub live: Option<LiveSession>,
}

/// What a session has used since it began, and holds now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionUsage {
    /// Processor time.
    pub cpu: Duration,
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// Everything writable, in bytes.
    pub disk_bytes: u64,
}

/// A session as the worker sees it.
#[derive(Debug, Clone)]
pub struct LiveSession {
    /// Which.
    pub id: SessionId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// True while something runs in it.
    pub busy: bool,
    /// True while it stands still, by its owner's word.
    pub paused: bool,
    /// Whether it is resumed by its use when it is paused.
    pub auto_resume: bool,
    /// How long it may do nothing.
    pub idle: Duration,
    /// What it may use.
    pub limits: Limits,
    /// Its interpreters, oldest first.
    pub contexts: Vec<Context>,
    /// Commands that have not ended.
    pub processes: u32,
    /// What it has used; only of one that was asked for by itself.
    pub usage: Option<SessionUsage>,
    /// What it may reach; absent where nothing was ever allowed.
    pub network: Option<NetworkPolicy>,
}
