//! `[[crowd]]`: one program in many sandboxes of one user at once, beside another user.

use serde::Deserialize;
use serde_json::Value;

use super::Language;

/// What is run, in how many sessions at once. It is judged by what another user notices of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct Crowd {
    /// Unique in the corpus.
    pub name: String,
    /// In which language.
    pub language: Language,
    /// What it tries, in a sentence.
    pub tries: String,
    /// The program. What it leaves running goes on until its session is ended.
    pub code: String,
    /// How many sessions. The service may let fewer in.
    pub sessions: usize,
    /// Of each session, as the REST API spells them.
    pub limits: Option<Value>,
    /// Seconds that each may run.
    pub timeout: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    language: Language,
    tries: String,
    code: String,
    sessions: usize,
    limits: Option<Value>,
    timeout: Option<f64>,
}

impl TryFrom<Written> for Crowd {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        /// The measurements take about so long.
        const TIMEOUT: f64 = 20.0;
        let Written { name, language, tries, code, sessions, limits, timeout } = written;
        if sessions < 2 {
            return Err(format!("{name:?}: sessions must be 2 or more"));
        }
        let timeout = timeout.unwrap_or(TIMEOUT);
        Ok(Self { name, language, tries, code, sessions, limits, timeout })
    }
}
