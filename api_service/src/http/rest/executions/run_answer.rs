//! What `POST /v1/code_interpreter/run` answers, whichever way it is sent.

use serde::Serialize;
use utoipa::openapi::schema::{AnyOfBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::report::ReportBody;
use crate::domain::ids::{ExecutionId, SessionId};
use crate::domain::language::LanguageName;
use crate::domain::report::Report;
use crate::domain::wishes::AnswerForm;
use crate::http::rest::fields::words;

/// As much of what a run did as its caller wants.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum AnyRunAnswer {
    /// All of it.
    Full(Box<RunAnswer>),
    /// For a model.
    Compact(CompactAnswer),
}

impl PartialSchema for AnyRunAnswer {
    fn schema() -> RefOr<Schema> {
        let either = AnyOfBuilder::new()
            .description(Some("With `\"answer\": \"compact\"`, the second."))
            .item(Ref::from_schema_name(RunAnswer::name()))
            .item(Ref::from_schema_name(CompactAnswer::name()));
        RefOr::T(Schema::AnyOf(either.build()))
    }
}

impl ToSchema for AnyRunAnswer {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        RunAnswer::schemas(schemas);
        schemas.push((RunAnswer::name().into_owned(), RunAnswer::schema()));
        schemas.push((CompactAnswer::name().into_owned(), CompactAnswer::schema()));
    }
}

impl AnyRunAnswer {
    /// From the domain, in the form that was asked for.
    ///
    /// # Errors
    /// When the output is not JSON.
    pub fn of(
        form: AnswerForm,
        id: &ExecutionId,
        session: Option<&SessionId>,
        language: &LanguageName,
        report: Report,
    ) -> Result<Self, serde_json::Error> {
        Ok(match form {
            AnswerForm::Full => Self::Full(Box::new(RunAnswer::of(id, session, language, report)?)),
            AnswerForm::Compact => Self::Compact(CompactAnswer {
                status: report.outcome.status.name(),
                exit_code: report.outcome.exit_code,
                text: report.text.unwrap_or_default(),
            }),
        })
    }

    /// How long the JSON of such an answer is, roughly, in bytes.
    pub fn length(form: AnswerForm, report: &Report) -> usize {
        match form {
            AnswerForm::Full => report.length(),
            AnswerForm::Compact => report.length_of_text(),
        }
    }
}

/// What a run did, for a model.
#[derive(Debug, Serialize, ToSchema)]
pub struct CompactAnswer {
    /// How it ended.
    #[schema(schema_with = words::run_status)]
    pub status: &'static str,
    /// Its exit status; null when it did not end by itself.
    #[schema(required)]
    pub exit_code: Option<i32>,
    /// What a model should read of it.
    #[schema(example = "42")]
    pub text: String,
}

/// What a run did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "execution_id": "exe_019b7f3c2d9a7d3b8a2f1c0e5d4b6a79", "session_id": null,
    "language": "python", "status": "succeeded", "output": "3\n", "stdout": "3\n", "stderr": "",
    "error": null, "exit_code": 0, "signal": null, "duration_ms": 3, "results": [],
    "diagnostic": null,
    "truncated": {
        "stdout": false, "stderr": false, "stdout_bytes": 2, "stderr_bytes": 0,
        "results": false, "results_omitted": 0
    },
    "encoding": {"stdout": "utf-8", "stderr": "utf-8"},
    "full_output": {"stdout": null, "stderr": null},
    "usage": {
        "cpu_ms": 2, "peak_memory_bytes": 9437184, "processes": 1, "disk_bytes": 0,
        "accounting": "enforced", "shared": false
    },
    "phases": {
        "queue_ms": 0, "start_ms": 0, "compile_ms": null, "run_ms": 2, "cold_start": false
    },
    "state_lost": false, "isolation": "full"
}))]
pub struct RunAnswer {
    /// For looking at it later.
    #[schema(example = "exe_019b7f3c2d9a7d3b8a2f1c0e5d4b6a79")]
    pub execution_id: String,
    /// The session it ran in, if in one.
    #[schema(required)]
    pub session_id: Option<String>,
    /// The language's own name, also when an alias was asked for.
    #[schema(example = "python")]
    pub language: String,
    /// How it ended.
    #[schema(schema_with = words::run_status)]
    pub status: &'static str,
    /// Everything else.
    #[serde(flatten)]
    pub report: ReportBody,
}

impl RunAnswer {
    /// From the domain.
    ///
    /// # Errors
    /// When the output is not JSON.
    pub fn of(
        id: &ExecutionId,
        session: Option<&SessionId>,
        language: &LanguageName,
        report: Report,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self {
            execution_id: id.to_string(),
            session_id: session.map(ToString::to_string),
            language: language.to_string(),
            status: report.outcome.status.name(),
            report: ReportBody::of(id, report)?,
        })
    }
}
