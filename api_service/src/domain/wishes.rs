//! What an answer to a run is to hold.

use crate::domain::model_text::ForModel;

/// Most patterns of files to collect.
pub const MAX_PATTERNS: usize = 32;
/// Longest pattern, in characters.
pub const MAX_PATTERN: usize = 256;

/// What an answer is to hold, beside what every answer holds.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// A text for a model.
    pub for_model: Option<ForModel>,
    /// How much of the answer is sent.
    pub form: AnswerForm,
    /// Which files of the workspace it brings: globs, which the worker has the last word on.
    pub collect: Vec<String>,
    /// Where results are that are large.
    pub large_results: LargeResults,
}

/// How much of an answer is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AnswerForm {
    /// All of it.
    #[default]
    Full,
    /// Status, exit code and the text for a model.
    Compact,
}

impl AnswerForm {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Full, Self::Compact];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Compact => "compact",
        }
    }

    /// By its name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.name() == text)
    }
}

/// Where results are that are large.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LargeResults {
    /// In the answer, as all others.
    #[default]
    Inline,
    /// The answer says where they can be fetched.
    Url,
}

impl LargeResults {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Inline, Self::Url];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::Url => "url",
        }
    }

    /// By its name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|place| place.name() == text)
    }
}
