//! What each error is called over HTTP: one row for each.

use actix_web::http::StatusCode;

use super::ApiError;
use crate::domain::field_error::FieldError;
use crate::services;

/// One row of the table.
pub(super) struct Row {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) title: &'static str,
    pub(super) detail: String,
}

fn row(status: StatusCode, code: &'static str, title: &'static str, detail: &str) -> Row {
    Row { status, code, title, detail: detail.to_owned() }
}

impl ApiError {
    pub(super) fn row(&self) -> Row {
        use StatusCode as S;
        match self {
            Self::Service(error) => service_row(error),
            Self::Invalid(_) => row(
                S::UNPROCESSABLE_ENTITY,
                "validation_failed",
                "The request is not valid",
                &self.listed_fields(),
            ),
            Self::NotJson(why) => row(S::BAD_REQUEST, "invalid_json", "The body is not JSON", why),
            Self::DuplicateKey(_) => row(
                S::UNPROCESSABLE_ENTITY,
                "duplicate_key",
                "A key stands twice in one object",
                &self.listed_fields(),
            ),
            Self::TooDeep(_) => row(
                S::UNPROCESSABLE_ENTITY,
                "nesting_too_deep",
                "The body is nested too deeply",
                &self.listed_fields(),
            ),
            Self::TooManyValues(_) => row(
                S::UNPROCESSABLE_ENTITY,
                "too_many_values",
                "The body has too many values",
                &self.listed_fields(),
            ),
            Self::WrongMediaType(expected) => row(
                S::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "The body has a type that this route does not read",
                &format!("send Content-Type: {expected}"),
            ),
            Self::BodyTooLarge(limit) => row(
                S::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "The body is too large",
                &format!("a body may have {limit} bytes at most"),
            ),
            Self::BodyTooSlow => row(
                S::REQUEST_TIMEOUT,
                "body_too_slow",
                "The body took too long",
                "send the whole body without pauses",
            ),
            Self::NoRoomForBody => row(
                S::SERVICE_UNAVAILABLE,
                "bodies_full",
                "Too many large bodies at once",
                "try again after the time in Retry-After, or send less",
            ),
            Self::BodyBroken => row(
                S::BAD_REQUEST,
                "body_unreadable",
                "The body could not be read",
                "the connection broke, or the body is not encoded as its headers say",
            ),
            Self::NoCredential => row(
                S::UNAUTHORIZED,
                "not_authenticated",
                "A credential is needed",
                "send Authorization: Bearer <access token or API key>, or X-API-Key: <API key>",
            ),
            Self::NoSuchRoute => {
                row(S::NOT_FOUND, "not_found", "Not found", "there is nothing here; see /docs")
            }
            Self::NoSuchMethod(_) => row(
                S::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "The route does not know this method",
                "the Allow header lists the methods it knows",
            ),
        }
    }
}

fn service_row(error: &services::Error) -> Row {
    use StatusCode as S;
    use services::Error as E;
    match error {
        E::BadCredentials => row(
            S::UNAUTHORIZED,
            "bad_credentials",
            "The user name or the password is wrong",
            "check both; which of them is wrong is not told",
        ),
        E::TooManyAttempts(_) => row(
            S::TOO_MANY_REQUESTS,
            "too_many_attempts",
            "Too many sign-in attempts",
            "wait as long as Retry-After says",
        ),
        E::SignInBusy => row(
            S::SERVICE_UNAVAILABLE,
            "sign_in_busy",
            "Too many sign-ins at once",
            "try again after the time in Retry-After",
        ),
        E::RefreshRefused => row(
            S::UNAUTHORIZED,
            "refresh_token_invalid",
            "The refresh token is not valid",
            "it is unknown, expired, revoked or was used before; sign in again",
        ),
        E::CredentialInvalid => row(
            S::UNAUTHORIZED,
            "credential_invalid",
            "The credential is not valid",
            "sign in again, or use another API key",
        ),
        E::CredentialExpired => row(
            S::UNAUTHORIZED,
            "credential_expired",
            "The credential has expired",
            "refresh the access token, or make a new API key",
        ),
        E::ScopeMissing(scope) => row(
            S::FORBIDDEN,
            "scope_missing",
            "The credential does not allow this",
            &format!("it lacks the scope '{scope}'"),
        ),
        E::UsernameTaken => {
            row(S::CONFLICT, "username_taken", "The user name is taken", "choose another username")
        }
        E::TooManyApiKeys => row(
            S::CONFLICT,
            "too_many_api_keys",
            "Too many API keys",
            "you have as many keys as one user may have; delete one first",
        ),
        E::ApiKeyNotFound => {
            row(S::NOT_FOUND, "api_key_not_found", "No such API key", "none of yours has this id")
        }
        E::ExecutionNotFound => row(
            S::NOT_FOUND,
            "execution_not_found",
            "No such execution",
            "none of yours has this id, or it is so old that it was forgotten",
        ),
        E::ExecutionNotRunning => row(
            S::CONFLICT,
            "execution_not_running",
            "The execution is not running",
            "it has ended; get it to see how",
        ),
        E::ExecutionElsewhere => row(
            S::CONFLICT,
            "execution_elsewhere",
            "The execution goes on in another gateway",
            "get it to see how it ended; only the gateway that runs it can be asked meanwhile",
        ),
        E::ExecutionCancelled(id) => row(
            S::CONFLICT,
            "execution_cancelled",
            "The execution was cancelled",
            &format!("{id} was ended because whoever had started it went away"),
        ),
        E::GatewayStopping => row(
            S::SERVICE_UNAVAILABLE,
            "gateway_stopping",
            "The gateway is stopping",
            "what ran was ended with it; try again after the time in Retry-After",
        ),
        E::ExecutionStillRunning => row(
            S::CONFLICT,
            "execution_running",
            "The execution is still running",
            "what it wrote can be had when it has ended",
        ),
        E::OutputNotKept => row(
            S::NOT_FOUND,
            "output_not_kept",
            "The output was not kept",
            "it was too long to be remembered, or no text, and the worker could not store it",
        ),
        E::OutputGone { expired: true } => row(
            S::GONE,
            "output_expired",
            "The output has expired",
            "long output is kept for a while only; available_until in the run's answer said when",
        ),
        E::OutputGone { expired: false } => row(
            S::GONE,
            "output_gone",
            "The output is gone",
            "it made way for newer output, or the worker was restarted; run the code again",
        ),
        E::NoSuchRange(available) => row(
            S::RANGE_NOT_SATISFIABLE,
            "range_not_satisfiable",
            "The output has no such range",
            &format!("Range: there are {available} bytes"),
        ),
        E::ExecutionUnknown(id, _) => row(
            S::SERVICE_UNAVAILABLE,
            "execution_unknown",
            "The worker was lost during the run",
            &format!("{id} was accepted and may have run in part; its end is not known"),
        ),
        E::SessionNotFound => row(
            S::NOT_FOUND,
            "session_not_found",
            "No such session",
            "none of yours has this id, or it was deleted; create another",
        ),
        E::SessionExpired => row(
            S::GONE,
            "session_expired",
            "The session has expired",
            "its time to live or its idle time ran out; create another",
        ),
        E::SessionLost => row(
            S::GONE,
            "session_lost",
            "The session was lost",
            "its sandbox is gone, and with it variables and files; create another",
        ),
        E::LanguageMismatch => row(
            S::UNPROCESSABLE_ENTITY,
            "language_mismatch",
            "The session runs another language",
            "language: use the language that the session was created with",
        ),
        E::LanguageUnavailable(language) => row(
            S::UNPROCESSABLE_ENTITY,
            "language_unavailable",
            "The language is not available here",
            &format!("language: {language} is not installed; see /v1/languages"),
        ),
        E::TooManySessions => row(
            S::CONFLICT,
            "too_many_sessions",
            "Too many sessions",
            "you have as many sessions as one user may have; delete one first",
        ),
        E::OwnerFull(..) => row(
            S::TOO_MANY_REQUESTS,
            "too_many_runs_waiting",
            "Too many runs of yours wait",
            "nothing was run; let some of them end, or try again after the time in Retry-After",
        ),
        E::WorkerFull(..) => row(
            S::SERVICE_UNAVAILABLE,
            "worker_full",
            "Every place is taken",
            "nothing was run; try again after the time in Retry-After",
        ),
        E::WorkerUnavailable(..) => row(
            S::SERVICE_UNAVAILABLE,
            "worker_unavailable",
            "The worker is not available",
            "try again after the time in Retry-After",
        ),
        E::Refused(FieldError { loc, msg }) => row(
            S::UNPROCESSABLE_ENTITY,
            "validation_failed",
            "The request is not valid",
            &format!("{loc}: {msg}"),
        ),
        E::KeyReused => row(
            S::CONFLICT,
            "idempotency_key_reused",
            "The idempotency key was used for another request",
            "Idempotency-Key: use a new key for a new request",
        ),
        E::KeyInProgress => row(
            S::CONFLICT,
            "idempotency_in_progress",
            "The first request with this idempotency key is still running",
            "try again after the time in Retry-After to get its answer",
        ),
        E::KeyUnknown(began) => row(
            S::CONFLICT,
            "idempotency_unknown",
            "The first request with this idempotency key was cut off",
            &match began {
                Some(id) => format!("it began {id}, whose end is not known: use a new key"),
                None => "nobody knows how far it got: look at your executions and sessions, \
                         then use a new key"
                    .to_owned(),
            },
        ),
        E::DatabaseBehind => row(
            S::SERVICE_UNAVAILABLE,
            "database_behind",
            "The database does not keep up",
            "try again after the time in Retry-After",
        ),
        E::Storage(_) | E::Worker(_) | E::Fault(_) => row(
            S::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong on our side",
            "the cause is in the log, under the request id",
        ),
    }
}
