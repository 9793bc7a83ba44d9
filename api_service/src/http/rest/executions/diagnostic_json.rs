//! What went wrong in a run.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::report::Diagnostic;
use crate::http::rest::fields::words;

/// What went wrong; the same in every language.
#[derive(Debug, Serialize, ToSchema)]
pub struct DiagnosticBody {
    /// exception, syntax, compile, limit, signal or exit.
    #[schema(schema_with = words::diagnostic_kind)]
    pub kind: String,
    /// The exception's class, the limit, the signal.
    pub name: String,
    /// What the language said.
    pub message: String,
    /// In which of the user's files.
    #[schema(required)]
    pub file: Option<String>,
    /// Counted from 1.
    #[schema(required)]
    pub line: Option<u32>,
    /// Counted from 1.
    #[schema(required)]
    pub column: Option<u32>,
    /// The user's own frames.
    #[schema(required)]
    pub traceback: Option<String>,
    /// The module that could not be imported.
    #[schema(required)]
    pub missing_module: Option<String>,
    /// True when the same code may succeed another time.
    pub retryable: bool,
    /// What usually helps.
    #[schema(required)]
    pub hint: Option<String>,
}

impl From<Diagnostic> for DiagnosticBody {
    fn from(found: Diagnostic) -> Self {
        let Diagnostic {
            kind,
            name,
            message,
            file,
            line,
            column,
            traceback,
            missing_module,
            retryable,
            hint,
        } = found;
        Self { kind, name, message, file, line, column, traceback, missing_module, retryable, hint }
    }
}
