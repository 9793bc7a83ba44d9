//! `…/sessions`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::http::rest::fields::words;

use crate::domain::field_error::{FieldError, FieldErrors};
use crate::domain::run::RunRules;
use crate::domain::session::{
    DEFAULT_TTL, MAX_METADATA, MAX_TTL, NewSession, Session, SessionStatus,
};
use crate::http::rest::fields::limits::LimitsBody;
use crate::http::rest::fields::program::{environment, environment_schema, language};
use crate::http::rest::fields::timestamp;

/// A session to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"language": "python", "ttl": 600}))]
pub struct SessionBody {
    /// python (py), node (javascript, js), bash (shell, sh) or c.
    pub language: String,
    /// How long it may live, in seconds: 1 to 86400, 600 when left out.
    #[schema(minimum = 1, maximum = 86400, default = 600)]
    pub ttl: Option<f64>,
    /// Environment of everything that runs in it; at most 256 variables.
    #[schema(schema_with = environment_schema)]
    pub env: Option<BTreeMap<String, String>>,
    /// What it may use.
    pub limits: Option<LimitsBody>,
    /// A note of yours; at most 16 KiB.
    #[schema(value_type = Option<HashMap<String, Value>>)]
    pub metadata: Option<Map<String, Value>>,
    /// What it may reach over the network.
    pub network: Option<NetworkBody>,
}

/// What a session may reach. This version knows only "nothing".
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkBody {
    /// Must be empty.
    #[serde(default)]
    #[schema(max_items = 0)]
    pub allow: Vec<String>,
}

impl SessionBody {
    /// Checks everything at once.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self, rules: &RunRules) -> Result<NewSession, Vec<FieldError>> {
        let Self { language, ttl, env, limits, metadata, network } = self;
        let mut errors = FieldErrors::default();
        let language = self::language(&language, &rules.languages, &mut errors);
        let ttl = errors.keep("ttl", checked_ttl(ttl));
        let env = environment(env.unwrap_or_default(), &mut errors);
        let limits = limits.unwrap_or_default().parse(None, &mut errors);
        let metadata = Value::Object(metadata.unwrap_or_default()).to_string();
        if metadata.len() > MAX_METADATA {
            errors.push("metadata", format!("must have at most {MAX_METADATA} bytes of JSON"));
        }
        if network.is_some_and(|network| !network.allow.is_empty()) {
            errors.push("network.allow", "must be empty: sandboxes here have no network");
        }
        let new = language.zip(ttl).map(|(language, ttl)| NewSession {
            language,
            ttl,
            env,
            limits,
            metadata,
        });
        errors.finish(new)
    }
}

fn checked_ttl(ttl: Option<f64>) -> Result<Duration, String> {
    let Some(seconds) = ttl else {
        return Ok(DEFAULT_TTL);
    };
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
    "expires_at": "2026-01-31T12:10:00Z", "metadata": {"conversation": "c-17"}
}))]
pub struct SessionAnswer {
    /// For runs in it.
    #[schema(example = "ses_019b7f3c2d9a7d3b8a2f1c0e5d4b6a79")]
    pub session_id: String,
    /// python, node, bash or c.
    pub language: &'static str,
    /// active, busy, expired or lost.
    #[schema(schema_with = words::session_status)]
    pub status: &'static str,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it ends at the latest.
    #[schema(format = DateTime)]
    pub expires_at: String,
    /// The note it was made with.
    #[schema(value_type = HashMap<String, Value>)]
    pub metadata: Value,
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
    pub fn of(session: Session, status: SessionStatus) -> Self {
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
        Self {
            session_id: id.to_string(),
            language: language.name(),
            status: status.name(),
            created_at: timestamp::write(created_at),
            expires_at: timestamp::write(expires_at),
            // EncodedJson by us, from a JSON object.
            metadata: serde_json::from_str(&metadata).unwrap_or_default(),
        }
    }
}
