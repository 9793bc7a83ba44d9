//! Which failure means what. Every variant stands here: a new one does not compile before somebody
//! has said what callers are told.

use std::borrow::Cow;
use std::fmt::Write;
use std::time::Duration;

use actix_web::http::Method;

use super::{Code, Failure};
use crate::domain::field_error::FieldError;
use crate::domain::files::FileProblem;
use crate::domain::queue::QueuePlace;
use crate::services;

/// Between two looks at a request that is still running.
const IN_PROGRESS_RETRY_AFTER: Duration = Duration::from_secs(1);
/// Until a sign-in may get its turn, or other requests' bodies are done with.
const BUSY_RETRY_AFTER: Duration = Duration::from_secs(2);
/// Most fields that are named in a sentence; the list has all.
const LISTED: usize = 5;

/// What a failure means to a caller, in no surface's words.
#[derive(Debug)]
pub struct Meaning<'a> {
    /// The kind, with its status and its name.
    pub code: Code,
    /// What happened here, and what to do about it.
    pub detail: Cow<'static, str>,
    /// When to try again.
    pub retry_after: Option<Duration>,
    /// The fields that are wrong.
    pub fields: &'a [FieldError],
    /// Where the run would have stood, when a queue was full.
    pub queue: Option<QueuePlace>,
    /// The methods that there are, when it was another one.
    pub methods: &'a [Method],
    /// How many bytes there are, when a range had none of them.
    pub available: Option<u64>,
}

impl<'a> Meaning<'a> {
    fn of(code: Code) -> Self {
        let detail = Cow::Borrowed(code.row().remedy);
        Self {
            code,
            detail,
            retry_after: None,
            fields: &[],
            queue: None,
            methods: &[],
            available: None,
        }
    }

    fn detail(self, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    fn after(self, time: Duration) -> Self {
        Self { retry_after: Some(time), ..self }
    }

    fn about(self, fields: &'a [FieldError]) -> Self {
        Self { fields, detail: listed(fields).into(), ..self }
    }
}

fn listed(fields: &[FieldError]) -> String {
    let mut text = String::new();
    for FieldError { loc, msg } in fields.iter().take(LISTED) {
        let separator = if text.is_empty() { "" } else { "; " };
        // Writing to a string cannot fail.
        let _ = write!(text, "{separator}{loc}: {msg}");
    }
    text
}

impl Failure {
    /// What it means.
    pub fn meaning(&self) -> Meaning<'_> {
        use std::slice::from_ref;
        let of = Meaning::of;
        match self {
            Self::Service(error) => of_service(error),
            Self::Invalid(fields) => of(Code::ValidationFailed).about(fields),
            Self::NotJson(why) => of(Code::InvalidJson).detail(why.clone()),
            Self::DuplicateKey(field) => of(Code::DuplicateKey).about(from_ref(field)),
            Self::TooDeep(field) => of(Code::NestingTooDeep).about(from_ref(field)),
            Self::TooManyValues(field) => of(Code::TooManyValues).about(from_ref(field)),
            Self::WrongMediaType(expected) => {
                of(Code::UnsupportedMediaType).detail(format!("send Content-Type: {expected}"))
            }
            Self::ContentEncoding => of(Code::UnsupportedEncoding),
            Self::BodyTooLarge(limit) => {
                of(Code::BodyTooLarge).detail(format!("a body may have {limit} bytes at most"))
            }
            Self::BodyTooSlow => of(Code::BodyTooSlow),
            Self::BodiesFull => of(Code::BodiesFull).after(BUSY_RETRY_AFTER),
            Self::AnswersFull => of(Code::AnswersFull).after(BUSY_RETRY_AFTER),
            Self::BodyBroken => of(Code::BodyUnreadable),
            Self::NoCredential => of(Code::NotAuthenticated),
            Self::SeveralCredentials => of(Code::SeveralCredentials),
            Self::PreflightRefused(why) => of(Code::PreflightRefused).detail(why.clone()),
            Self::OriginRefused => of(Code::OriginRefused),
            Self::UpgradeNeeded => of(Code::UpgradeNeeded),
            Self::NoSuchRoute => of(Code::NotFound),
            Self::NoSuchMethod(methods) => Meaning { methods, ..of(Code::MethodNotAllowed) },
        }
    }
}

fn of_service(error: &services::Error) -> Meaning<'_> {
    use services::Error as E;
    let of = Meaning::of;
    match error {
        E::BadCredentials => of(Code::BadCredentials),
        E::UserDisabled => of(Code::UserDisabled),
        E::WrongPassword => of(Code::WrongPassword),
        E::TooManyAttempts(after) => of(Code::TooManyAttempts).after(*after),
        E::SignInBusy => of(Code::SignInBusy).after(BUSY_RETRY_AFTER),
        E::RefreshRefused => of(Code::RefreshTokenInvalid),
        E::CredentialInvalid => of(Code::CredentialInvalid),
        E::CredentialExpired => of(Code::CredentialExpired),
        E::ScopeMissing(scope) => {
            of(Code::ScopeMissing).detail(format!("it lacks the scope '{scope}'"))
        }
        E::UsernameTaken => of(Code::UsernameTaken),
        E::UserNotFound => of(Code::UserNotFound),
        E::LastAdmin => of(Code::LastAdmin),
        E::OwnPassword => of(Code::OwnPassword),
        E::TooManyApiKeys => of(Code::TooManyApiKeys),
        E::ApiKeyNotFound => of(Code::ApiKeyNotFound),
        E::ExecutionNotFound => of(Code::ExecutionNotFound),
        E::ExecutionNotRunning => of(Code::ExecutionNotRunning),
        E::ExecutionElsewhere => of(Code::ExecutionElsewhere),
        E::ExecutionCancelled(id) => of(Code::ExecutionCancelled)
            .detail(format!("{id} was ended because whoever had started it went away")),
        E::GatewayStopping => of(Code::GatewayStopping).after(BUSY_RETRY_AFTER),
        E::ExecutionStillRunning => of(Code::ExecutionRunning),
        E::InputClosed => of(Code::StdinClosed),
        E::InputFull(after) => of(Code::StdinFull).after(*after),
        E::ArtifactNotFound => of(Code::ArtifactNotFound),
        E::WebhookRefused(host) => of(Code::WebhookRefused).detail(format!(
            "webhook.url: {host} is not allowed; ask the operator to add it to WEBHOOK_HOSTS"
        )),
        E::OutputNotKept => of(Code::OutputNotKept),
        E::OutputGone { expired: true } => of(Code::OutputExpired),
        E::OutputGone { expired: false } => of(Code::OutputGone),
        E::NoSuchRange(available) => Meaning {
            available: Some(*available),
            ..of(Code::RangeNotSatisfiable).detail(format!("Range: there are {available} bytes"))
        },
        E::ExecutionUnknown(id, _) => {
            let row = Code::ExecutionUnknown.row();
            let detail = format!("{id}: {}", row.remedy);
            of(Code::ExecutionUnknown).detail(detail).after(BUSY_RETRY_AFTER)
        }
        E::SessionNotFound => of(Code::SessionNotFound),
        E::SessionExpired => of(Code::SessionExpired),
        E::SessionLost => of(Code::SessionLost),
        E::SessionPaused => of(Code::SessionPaused),
        E::SessionBusy => of(Code::SessionBusy),
        E::SessionFull(of_what) => {
            of(Code::SessionFull).detail(format!("{of_what}; delete one first"))
        }
        E::ContextNotFound => of(Code::ContextNotFound),
        E::ProcessNotFound => of(Code::ProcessNotFound),
        E::ProcessEnded => of(Code::ProcessEnded),
        E::NoTerminal => of(Code::NoTerminal),
        E::NotExecutable(why) => {
            let remedy = Code::NotExecutable.row().remedy;
            of(Code::NotExecutable).detail(format!("{why}; {remedy}"))
        }
        E::TooManyProcesses(what) => {
            let remedy = Code::TooManyProcesses.row().remedy;
            of(Code::TooManyProcesses).detail(format!("{what}; {remedy}")).after(BUSY_RETRY_AFTER)
        }
        E::File(problem, text) => of_file(*problem, text),
        E::LanguageMismatch => of(Code::LanguageMismatch),
        E::LanguageUnavailable(language) => of(Code::LanguageUnavailable)
            .detail(format!("language: {language} is not installed; see /v1/languages")),
        E::TooManySessions => of(Code::TooManySessions),
        E::OwnerFull(after, queue) => {
            Meaning { queue: *queue, ..of(Code::TooManyRunsWaiting).after(*after) }
        }
        E::ShareFull(after, what) => of(Code::ShareFull).after(*after).detail(what.clone()),
        E::WorkerFull(after, queue) => {
            Meaning { queue: *queue, ..of(Code::WorkerFull).after(*after) }
        }
        E::NetworkRefused(text) => of(Code::NetworkRefused).detail(text.clone()),
        E::NetworkUnavailable(after) => of(Code::NetworkUnavailable).after(*after),
        E::WorkerUnavailable(after, _) => of(Code::WorkerUnavailable).after(*after),
        E::Refused(field) => of(Code::ValidationFailed).about(std::slice::from_ref(field)),
        E::KeyReused => of(Code::KeyReused),
        E::KeyInProgress => of(Code::KeyInProgress).after(IN_PROGRESS_RETRY_AFTER),
        E::KeyUnknown(None) => of(Code::KeyUnknown),
        E::KeyUnknown(Some(id)) => of(Code::KeyUnknown)
            .detail(format!("it began {id}, whose end is not known: use a new key")),
        E::DatabaseBehind => of(Code::DatabaseBehind).after(BUSY_RETRY_AFTER),
        E::Storage(_) | E::Worker(_) | E::Fault(_) => of(Code::Internal),
    }
}

/// What it means that something could not be done with a file.
fn of_file(problem: FileProblem, text: &str) -> Meaning<'static> {
    let of = Meaning::of;
    match problem {
        FileProblem::NotFound => of(Code::FileNotFound),
        FileProblem::Directory => of(Code::IsDirectory),
        FileProblem::NotADirectory => of(Code::NotADirectory),
        FileProblem::Special => of(Code::SpecialFile),
        FileProblem::Exists => of(Code::FileExists),
        FileProblem::NotEmpty => of(Code::DirectoryNotEmpty),
        FileProblem::Changed => of(Code::FileChanged),
        FileProblem::Refused => {
            let remedy = Code::FileRefused.row().remedy;
            of(Code::FileRefused).detail(format!("{text}; {remedy}"))
        }
        FileProblem::TooLarge => of(Code::FileTooLarge),
        FileProblem::DiskFull => of(Code::DiskFull),
        FileProblem::Archive => {
            let remedy = Code::ArchiveRefused.row().remedy;
            of(Code::ArchiveRefused).detail(format!("{text}; {remedy}"))
        }
        FileProblem::Busy => of(Code::TooManyTransfers).after(BUSY_RETRY_AFTER),
    }
}
