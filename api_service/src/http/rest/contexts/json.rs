//! `…/sessions/{id}/contexts`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::context::{Context, NewContext};
use crate::domain::field_error::{FieldError, FieldErrors};
use crate::domain::language::Offer;
use crate::domain::workspace::WorkspacePath;
use crate::http::rest::fields::program::{environment, environment_schema, language};
use crate::http::rest::fields::words;

/// A context to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"language": "node", "cwd": "site", "env": {"MODE": "test"}}))]
pub struct ContextBody {
    /// A name or an alias of `/v1/languages`.
    pub language: String,
    /// Where its programs begin: a directory of the workspace that is there. The workspace itself when left out.
    #[schema(min_length = 1, max_length = 4096, pattern = "^[^\\u0000]*$")]
    pub cwd: Option<String>,
    /// Environment of what runs in it, beside the session's; at most 256 variables.
    #[schema(schema_with = environment_schema)]
    pub env: Option<BTreeMap<String, String>>,
}

impl ContextBody {
    /// Checks everything at once.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self, offer: Option<&Offer>) -> Result<NewContext, Vec<FieldError>> {
        let Self { language, cwd, env } = self;
        let mut errors = FieldErrors::default();
        let language = self::language(&language, offer, &mut errors);
        let directory = match cwd.as_deref() {
            None | Some(".") => None,
            Some(path) => errors.keep("cwd", WorkspacePath::parse(path.trim_end_matches('/'))),
        };
        let env = environment(env.unwrap_or_default(), &mut errors);
        errors.finish(language.map(|language| NewContext { language, directory, env }))
    }
}

/// One interpreter of a session, with its state.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "context_id": "ctx_019b7f3c2d9a7d3b8a2f1c0e5d4b6a79", "language": "node", "state": "new",
    "cwd": "site"
}))]
pub struct ContextAnswer {
    /// For runs in it. That of a session's default context is `ctx_default` and its language.
    #[schema(example = "ctx_019b7f3c2d9a7d3b8a2f1c0e5d4b6a79")]
    pub context_id: String,
    /// The language's own name.
    #[schema(example = "node")]
    pub language: String,
    /// new, idle, busy or lost.
    #[schema(schema_with = words::context_state)]
    pub state: &'static str,
    /// Where its programs begin, in the workspace.
    #[schema(example = ".")]
    pub cwd: String,
}

impl ContextAnswer {
    /// From the domain.
    pub fn of(context: &Context) -> Self {
        let Context { id, language, state, directory } = context;
        Self {
            context_id: id.to_string(),
            language: language.to_string(),
            state: state.name(),
            cwd: if directory.is_empty() { ".".to_owned() } else { directory.clone() },
        }
    }
}

/// All contexts of a session.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContextsAnswer {
    /// Oldest first.
    #[schema(max_items = 16)]
    pub data: Vec<ContextAnswer>,
}

/// What came of an interrupt.
#[derive(Debug, Serialize, ToSchema)]
pub struct InterruptAnswer {
    /// Whether something ran; its run ends now, and says so in its own answer.
    pub interrupted: bool,
}
