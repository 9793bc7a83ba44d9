//! `…/sessions`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::http::rest::fields::words;

use crate::domain::field_error::{FieldError, FieldErrors};
use crate::domain::language::Offer;
use crate::domain::session::{
    DEFAULT_TTL, MAX_METADATA, MAX_TTL, NewSession, Session, SessionUsage, SessionView,
};
use crate::http::rest::contexts::json::ContextAnswer;
use crate::http::rest::fields::content::Content;
use crate::http::rest::fields::files::{files, files_schema};
use crate::http::rest::fields::limits::{LimitsAnswer, LimitsBody};
use crate::http::rest::fields::program::{environment, environment_schema, language};
use crate::http::rest::fields::timestamp;
use crate::http::rest::network::json::{NetworkAnswer, NetworkBody};

/// A session to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"language": "python", "ttl": 600}))]
pub struct SessionBody {
    /// A name or an alias of `/v1/languages`: its interpreter is started at once. Without one there is no context
    /// until one is used.
    pub language: Option<String>,
    /// How long it may live, in seconds: 1 to 86400, 600 when left out.
    #[schema(minimum = 1, maximum = 86400, default = 600)]
    pub ttl: Option<f64>,
    /// How long it may do nothing, in seconds: 1 to 86400, and no longer than the operator lets any session; null or
    /// left out for as long as that. A paused session is not idle.
    #[schema(minimum = 1, maximum = 86400)]
    pub idle: Option<f64>,
    /// Whether it goes on by itself when it is used while it is paused; true when left out. Otherwise it is refused
    /// until it is resumed.
    pub auto_resume: Option<bool>,
    /// Environment of everything that runs in it; at most 256 variables.
    #[schema(schema_with = environment_schema)]
    pub env: Option<BTreeMap<String, String>>,
    /// Files that are in its workspace from the start, by path; at most 1000.
    #[schema(schema_with = files_schema)]
    pub files: Option<BTreeMap<String, Content>>,
    /// What it may use.
    pub limits: Option<LimitsBody>,
    /// A note of yours; at most 16 KiB.
    #[schema(value_type = Option<HashMap<String, Value>>)]
    pub metadata: Option<Map<String, Value>>,
    /// What it may reach over the network.
    pub network: Option<NetworkBody>,
}

impl SessionBody {
    /// Checks everything at once.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self, offer: Option<&Offer>) -> Result<NewSession, Vec<FieldError>> {
        let Self {
            language,
            ttl,
            idle,
            auto_resume,
            env,
            files: body_files,
            limits,
            metadata,
            network,
        } = self;
        let mut errors = FieldErrors::default();
        let language = language.map(|text| self::language(&text, offer, &mut errors));
        let ttl = errors.keep("ttl", ttl.map_or(Ok(DEFAULT_TTL), seconds));
        let idle = errors.keep("idle", idle.map(seconds).transpose()).flatten();
        let env = environment(env.unwrap_or_default(), &mut errors);
        let files = files(body_files.unwrap_or_default(), &mut errors);
        let limits = limits.unwrap_or_default().parse(None, &mut errors);
        let metadata = written(metadata.unwrap_or_default(), &mut errors);
        let network = network.map(|network| network.parse(&mut errors));
        let new = ttl.map(|ttl| NewSession {
            language: language.flatten(),
            ttl,
            idle,
            auto_resume: auto_resume.unwrap_or(true),
            files,
            env,
            limits,
            metadata,
            network,
        });
        errors.finish(new)
    }
}

/// What a session is to be like from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"metadata": {"conversation": "c-17"}}))]
pub struct SessionPatch {
    /// Another note of yours, in place of the one that it has; at most 16 KiB.
    #[schema(value_type = HashMap<String, Value>)]
    pub metadata: Map<String, Value>,
}

impl SessionPatch {
    /// The note, as JSON.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self) -> Result<String, Vec<FieldError>> {
        let mut errors = FieldErrors::default();
        let metadata = written(self.metadata, &mut errors);
        errors.finish(Some(metadata))
    }
}

/// How long a session is to live from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"ttl": 600}))]
pub struct ExtendBody {
    /// In seconds from now: 1 to 86400, which may also be earlier than its end was.
    #[schema(minimum = 1, maximum = 86400)]
    pub ttl: f64,
}

impl ExtendBody {
    /// Checks it.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self) -> Result<Duration, Vec<FieldError>> {
        seconds(self.ttl).map_err(|msg| vec![FieldError::new("ttl", msg)])
    }
}

fn written(metadata: Map<String, Value>, errors: &mut FieldErrors) -> String {
    let metadata = Value::Object(metadata).to_string();
    if metadata.len() > MAX_METADATA {
        errors.push("metadata", format!("must have at most {MAX_METADATA} bytes of JSON"));
    }
    metadata
}

/// A time that a session may live, or do nothing.
fn seconds(seconds: f64) -> Result<Duration, String> {
    let max = MAX_TTL.as_secs_f64();
    if (1.0..=max).contains(&seconds) {
        // The wire carries whole seconds.
        Ok(Duration::from_secs_f64(seconds.ceil()))
    } else {
        Err(format!("must be from 1 to {max} seconds"))
    }
}

/// A session.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "session_id": "ses_019b7f3c2d9a7d3b8a2f1c0e5d4b6a79", "language": "python",
    "status": "active", "created_at": "2026-01-31T12:00:00Z",
    "expires_at": "2026-01-31T12:10:00Z", "metadata": {"conversation": "c-17"},
    "idle": 1800, "auto_resume": true,
    "contexts": [
        {"context_id": "ctx_defaultpython", "language": "python", "state": "idle", "cwd": "."}
    ],
    "processes": 0,
    "limits": {
        "wall_ms": 30000, "memory_bytes": 268435456, "processes": 64, "output_bytes": 1048576,
        "disk_bytes": 67108864, "inodes": 8192, "open_files": 256, "cpu_ms": 30000
    },
    "usage": {"cpu_ms": 52, "memory_bytes": 23592960, "disk_bytes": 4096}, "network": null
}))]
pub struct SessionAnswer {
    /// For runs in it.
    #[schema(example = "ses_019b7f3c2d9a7d3b8a2f1c0e5d4b6a79")]
    pub session_id: String,
    /// The language it was made with, by its own name; null if it was made with none.
    #[schema(required)]
    pub language: Option<String>,
    /// active, busy, paused, expired or lost.
    #[schema(schema_with = words::session_status)]
    pub status: &'static str,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it ends at the latest.
    #[schema(format = DateTime)]
    pub expires_at: String,
    /// Your note.
    #[schema(value_type = HashMap<String, Value>)]
    pub metadata: Value,
    /// How long it may do nothing, in seconds; null once it has ended.
    #[schema(required)]
    pub idle: Option<u64>,
    /// Whether it goes on by itself when it is used while it is paused; null once it has ended.
    #[schema(required)]
    pub auto_resume: Option<bool>,
    /// Its interpreters, oldest first; none once it has ended.
    #[schema(max_items = 16)]
    pub contexts: Vec<ContextAnswer>,
    /// Commands that have not ended.
    pub processes: u32,
    /// Defaults of what runs in it; null once it has ended.
    #[schema(required)]
    pub limits: Option<LimitsAnswer>,
    /// What it has used; only when you ask for this one session while it lives.
    #[schema(required)]
    pub usage: Option<SessionUsageBody>,
    /// What it may reach; null for nothing.
    #[schema(required)]
    pub network: Option<NetworkAnswer>,
}

/// What a session has used since it began, and holds now.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionUsageBody {
    /// Processor time so far, in milliseconds.
    pub cpu_ms: u64,
    /// Memory of all its processes now, in bytes.
    pub memory_bytes: u64,
    /// Everything that is written now, in bytes.
    pub disk_bytes: u64,
}

/// A session that was ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionEnded {
    /// True.
    pub success: bool,
    /// In words.
    #[schema(example = "Session ended")]
    pub message: &'static str,
}

impl SessionAnswer {
    /// From the domain.
    pub fn of(view: SessionView) -> Self {
        let SessionView { session, status, live } = view;
        let Session {
            id,
            user: _,
            language,
            created_at,
            expires_at,
            metadata,
            worker_instance: _,
            stage: _,
        } = session;
        let (contexts, processes) =
            live.as_ref().map_or((&[][..], 0), |live| (&live.contexts[..], live.processes));
        Self {
            session_id: id.to_string(),
            language: language.as_ref().map(ToString::to_string),
            status: status.name(),
            created_at: timestamp::write(created_at),
            expires_at: timestamp::write(live.as_ref().map_or(expires_at, |live| live.expires_at)),
            // EncodedJson by us, from a JSON object.
            metadata: serde_json::from_str(&metadata).unwrap_or_default(),
            idle: live.as_ref().map(|live| live.idle.as_secs()),
            auto_resume: live.as_ref().map(|live| live.auto_resume),
            contexts: contexts.iter().map(ContextAnswer::of).collect(),
            processes,
            limits: live.as_ref().map(|live| LimitsAnswer::of(&live.limits)),
            usage: live.as_ref().and_then(|live| live.usage).map(SessionUsageBody::of),
            network: live.and_then(|live| live.network).map(NetworkAnswer::of),
        }
    }
}

impl SessionUsageBody {
    fn of(usage: SessionUsage) -> Self {
        let SessionUsage { cpu, memory_bytes, disk_bytes } = usage;
        let cpu_ms = u64::try_from(cpu.as_millis()).unwrap_or(u64::MAX);
        Self { cpu_ms, memory_bytes, disk_bytes }
    }
}
