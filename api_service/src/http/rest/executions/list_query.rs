//! `GET /v1/code_interpreter/executions`: which of them.

use serde::Deserialize;
use utoipa::IntoParams;

use crate::domain::execution::{ExecutionFilter, ExecutionState};
use crate::domain::field_error::{FieldError, FieldErrors};
use crate::domain::ids::{ExecutionId, SessionId};
use crate::domain::language::LanguageName;
use crate::domain::page::PageRequest;
use crate::domain::report::Status;
use crate::http::rest::fields::page::PageQuery;
use crate::http::rest::fields::{timestamp, words};

/// Which runs, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Most items, 1 to 250.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 250, default = 50)]
    pub limit: Option<String>,
    /// The `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// Only those of this session.
    #[param(pattern = "^ses_[A-Za-z0-9]{1,64}$")]
    pub session_id: Option<String>,
    /// Only those that are so now, or ended so.
    #[param(schema_with = words::execution_status)]
    pub status: Option<String>,
    /// Only those in this language, by its own name.
    #[param(pattern = "^[a-z0-9_+#.-]{1,32}$")]
    pub language: Option<String>,
    /// Only those that were accepted then or later.
    #[param(value_type = Option<String>, format = DateTime)]
    pub since: Option<String>,
}

impl ListQuery {
    /// Checks it.
    ///
    /// # Errors
    /// What is wrong with which parameter.
    pub fn parse(self) -> Result<(PageRequest<ExecutionId>, ExecutionFilter), Vec<FieldError>> {
        let Self { limit, cursor, session_id, status, language, since } = self;
        let mut errors = FieldErrors::default();
        let page = match (PageQuery { limit, cursor }).parse(ExecutionId::parse) {
            Ok(page) => Some(page),
            Err(wrong) => {
                for FieldError { loc, msg } in wrong {
                    errors.push(loc, msg);
                }
                None
            }
        };
        let session =
            session_id.map(|text| SessionId::parse(&text).ok_or("must be a session's id"));
        let session = errors.keep("session_id", session.transpose()).flatten();
        let status = status.map(|text| state_name(&text).ok_or("must be a status of a run"));
        let status = errors.keep("status", status.transpose()).flatten();
        let language = language.map(|text| LanguageName::parse(&text).ok_or(LanguageName::RULE));
        let language = errors.keep("language", language.transpose()).flatten();
        let since = errors.keep("since", since.map(|text| timestamp::read(&text)).transpose());
        let filter = ExecutionFilter { session, status, language, since: since.flatten() };
        errors.finish(page.map(|page| (page, filter)))
    }
}

/// As states are written everywhere.
fn state_name(text: &str) -> Option<&'static str> {
    let others = [ExecutionState::Queued, ExecutionState::Running, ExecutionState::Unknown];
    let all = Status::ALL.iter().map(|status| status.name());
    all.chain(others.iter().map(ExecutionState::name)).find(|name| *name == text)
}
