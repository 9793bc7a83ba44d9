//! `/v1/api_keys`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::rest::fields::words;

use crate::domain::api_key::{ApiKey, MAX_NAME, NewApiKey};
use crate::domain::field_error::{FieldError, FieldErrors};
use crate::domain::scope::Scope;
use crate::domain::timestamp::Timestamp;
use crate::http::rest::fields::timestamp;

/// A key to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "backend", "scopes": ["run", "sessions", "read"]}))]
pub struct ApiKeyBody {
    /// What to call it: 1 to 100 characters, not blanks alone.
    #[schema(
        max_length = 100,
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f][^\\u0000-\\u001f\\u007f-\\u009f]*$"
    )]
    pub name: String,
    /// When it shall end (RFC 3339); never when left out.
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
    /// What it shall allow: run (run code, cancel runs), sessions (make and end sessions), read
    /// (look at executions and sessions), keys (make, list and delete API keys), admin (make users).
    /// When left out: run, sessions and read. Nobody can give more than the credential in use holds.
    #[schema(schema_with = words::scopes)]
    pub scopes: Option<Vec<String>>,
}

impl ApiKeyBody {
    /// Checks everything at once.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self) -> Result<NewApiKey, Vec<FieldError>> {
        let Self { name, expires_at, scopes } = self;
        let mut errors = FieldErrors::default();
        let printable = !name.chars().any(char::is_control);
        if name.trim().is_empty() || name.chars().count() > MAX_NAME || !printable {
            errors.push("name", format!("must have 1 to {MAX_NAME} printable characters"));
        }
        let expires_at = expires_at.as_deref().map(timestamp::read).transpose();
        let expires_at = errors.keep("expires_at", expires_at).flatten();
        if expires_at.is_some_and(Timestamp::has_passed) {
            errors.push("expires_at", "must be in the future");
        }
        let scopes = match scopes {
            Some(names) => checked_scopes(&names, &mut errors),
            None => Scope::OF_NEW_KEYS.to_vec(),
        };
        errors.finish(Some(NewApiKey { name, scopes, expires_at }))
    }
}

fn checked_scopes(names: &[String], errors: &mut FieldErrors) -> Vec<Scope> {
    if names.is_empty() || names.len() > Scope::ALL.len() {
        errors.push("scopes", "must name at least one scope, and none twice");
        return Vec::new();
    }
    let mut scopes = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let loc = format!("scopes[{index}]");
        match Scope::parse(name) {
            Some(scope) if scopes.contains(&scope) => errors.push(loc, "is named twice"),
            Some(scope) => scopes.push(scope),
            None => errors.push(loc, "must be one of run, sessions, read, keys, admin"),
        }
    }
    scopes
}

/// A key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "key_019b7f3c2d9a7d3b8a2f1c0e5d4b6a79", "name": "backend", "preview": "e2b_1f0c",
    "scopes": ["run", "sessions", "read"], "created_at": "2026-01-31T12:00:00Z",
    "expires_at": null
}))]
pub struct ApiKeyAnswer {
    /// For deleting it.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// How its secret begins.
    #[schema(example = "e2b_1f0c")]
    pub preview: String,
    /// What it allows.
    #[schema(schema_with = words::scopes)]
    pub scopes: Vec<&'static str>,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it ends; null for never.
    #[schema(required)]
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
}

/// A key that was just made.
#[derive(Serialize, ToSchema)]
pub struct NewApiKeyAnswer {
    /// The secret. It is shown this once.
    #[schema(example = "e2b_0123456789abcdef0123456789abcdef01234567")]
    pub key: String,
    /// The rest.
    #[serde(flatten)]
    pub about: ApiKeyAnswer,
}

impl ApiKeyAnswer {
    /// From the domain.
    pub fn of(key: ApiKey) -> Self {
        let ApiKey { id, user: _, name, preview, scopes, created_at, expires_at } = key;
        Self {
            id: id.to_string(),
            name,
            preview,
            scopes: scopes.iter().map(|scope| scope.name()).collect(),
            created_at: timestamp::write(created_at),
            expires_at: expires_at.map(timestamp::write),
        }
    }
}
