//! A language that was not found: why, and what the operator can do about it.

use std::path::PathBuf;

use super::search::NamedBy;
use crate::language::descriptor::Language;
use crate::language::toolchain::Unsuitable;

/// A language that was wanted and has no suitable toolchain here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What cannot be run.
    pub language: Language,
    /// The operator has named the one that would not do.
    pub named: bool,
    /// What was looked at and why it would not do.
    pub reason: String,
    /// What the operator can do about it.
    pub remedy: String,
}

/// A candidate that would not do, although a later one may have.
#[derive(Debug)]
pub struct PassedOver {
    /// The language it was a candidate for.
    pub language: Language,
    /// Where it was found.
    pub candidate: PathBuf,
    /// Why it would not do.
    pub reason: Unsuitable,
}

impl Missing {
    /// The account of a search that found nothing.
    pub(super) fn account(
        language: Language,
        named_by: Option<NamedBy>,
        passed_over: &[PassedOver],
    ) -> Self {
        let mut remedy = remedy(language, named_by);
        let barrier = passed_over.iter().find_map(|passed| match &passed.reason {
            Unsuitable::OutOfReach { barrier, .. } => Some(barrier.display()),
            _ => None,
        });
        if let Some(barrier) = barrier {
            remedy.push_str(&format!(", or let the sandbox's user in: chmod o+rx {barrier}"));
        }
        let reason = reason(language, passed_over);
        Self { language, named: named_by.is_some(), reason, remedy }
    }
}

fn reason(language: Language, passed_over: &[PassedOver]) -> String {
    if passed_over.is_empty() {
        let names = language.descriptor().executables.join(" or ");
        return format!("no {names} on the PATH or in the usual places");
    }
    let reasons = passed_over.iter().map(|PassedOver { candidate, reason, language: _ }| {
        format!("{}: {reason}", candidate.display())
    });
    reasons.collect::<Vec<_>>().join("; ")
}

fn remedy(language: Language, named_by: Option<NamedBy>) -> String {
    match named_by {
        // What the launcher has made itself is made again once it is gone.
        Some(NamedBy::Environment(variable)) => format!(
            "make the environment anew (one in the data directory: delete it and start again), \
             or name another by {variable}"
        ),
        Some(NamedBy::Executable(variable)) => {
            format!("set {variable} to one that will do, or unset it to have one looked for")
        }
        None => {
            let descriptor = language.descriptor();
            let oldest = descriptor.oldest.map(|oldest| format!(" ({oldest} or newer)"));
            format!("{}{}", descriptor.install, oldest.unwrap_or_default())
        }
    }
}
