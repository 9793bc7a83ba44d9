//! The route table: what exists, what it asks of its callers, what it takes, gives and can fail with.

use actix_web::http::{Method, StatusCode as S};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use super::endpoint::{Content, Draft, Endpoint, OF_KEYS, Tag, Takes, row};
use super::fields::page::{PageAnswer, PageQuery};
use super::schemas::{form, id_of, idempotency_key, range, schema};
use super::{api_keys, auth, doctor, executions, health, languages, openapi, sessions, users};
use crate::domain::scope::Access::{self, Needs, Public, SignedIn};
use crate::domain::scope::Scope::{Admin, Keys, Read, Run, Sessions};
use crate::http::failure::Code as C;

type Text = &'static str;

fn get(path: Text, access: Access, tag: Tag, id: Text, summary: Text) -> Draft {
    row(Method::GET, path, access, tag, id, summary)
}

fn post(path: Text, access: Access, tag: Tag, id: Text, summary: Text) -> Draft {
    row(Method::POST, path, access, tag, id, summary)
}

fn delete(path: Text, access: Access, tag: Tag, id: Text, summary: Text) -> Draft {
    row(Method::DELETE, path, access, tag, id, summary)
}

fn put(path: Text, access: Access, tag: Tag, id: Text, summary: Text) -> Draft {
    row(Method::PUT, path, access, tag, id, summary)
}

/// Which page of a list of things whose ids begin with `prefix`.
fn page(prefix: &str) -> Vec<Parameter> {
    let mut parameters = PageQuery::into_params(|| Some(ParameterIn::Query));
    for parameter in parameters.iter_mut().filter(|parameter| parameter.name == "cursor") {
        parameter.schema = Some(id_of(prefix).into());
    }
    parameters
}

/// The routes that ask for nothing. A scope of their own, not exceptions from the other.
pub fn public() -> Vec<Endpoint> {
    use auth::json::{RefreshBody, TokenAnswer, TokenBody};
    use health::json::{HealthAnswer, ProbeAnswer};
    let tokens = Content::Json(schema::<TokenAnswer>);
    let refresh = Takes::FormOrJson { form: form::<RefreshBody>, json: schema::<RefreshBody> };
    let probe = Content::Json(schema::<ProbeAnswer>);
    let health = Content::Json(schema::<HealthAnswer>);
    let languages = Content::Json(schema::<languages::json::LanguagesAnswer>);
    vec![
        post("/v1/auth/token", Public, Tag::Credentials, "sign_in", "Sign in")
            .takes(Takes::FormOrJson { form: form::<TokenBody>, json: schema::<TokenBody> })
            .gives(S::OK, "A pair of tokens", tokens)
            .fails(&[C::BadCredentials, C::UserDisabled, C::TooManyAttempts, C::SignInBusy])
            .to(auth::token),
        post("/v1/auth/refresh", Public, Tag::Credentials, "refresh_sign_in", "Prolong a sign-in")
            .more("The refresh token is used up; one that was used before ends the sign-in.")
            .takes(refresh)
            .gives(S::OK, "A new pair of tokens", tokens)
            .fails(&[C::RefreshTokenInvalid])
            .to(auth::refresh),
        post("/v1/auth/logout", Public, Tag::Credentials, "sign_out", "Sign out")
            .more("No token that descends from this sign-in can be refreshed any more.")
            .takes(refresh)
            .gives(S::NO_CONTENT, "Signed out", Content::Nothing)
            .to(auth::logout),
        get("/v1/languages", Public, Tag::Public, "list_languages", "What really runs here")
            .more("Languages, versions, packages, limits.")
            .gives(S::OK, "What runs", languages)
            .fails(&[C::WorkerUnavailable])
            .to(languages::languages),
        get("/health", Public, Tag::Public, "get_health", "How the service is")
            .more("With the isolation in force.")
            .gives(S::OK, "Everything is up", health)
            .gives(S::SERVICE_UNAVAILABLE, "Something is down", health)
            .never_fails()
            .to(health::health),
        get("/livez", Public, Tag::Public, "get_liveness", "Whether the process answers")
            .gives(S::OK, "It does", probe)
            .never_fails()
            .to(health::livez),
        get("/readyz", Public, Tag::Public, "get_readiness", "Whether requests can be fulfilled")
            .more("The schema is up to date, and the worker answered lately.")
            .gives(S::OK, "They can", probe)
            .gives(S::SERVICE_UNAVAILABLE, "They cannot", probe)
            .never_fails()
            .to(health::readyz),
        get("/openapi.json", Public, Tag::Public, "get_openapi", "This document")
            .gives(S::OK, "OpenAPI 3.1", Content::AnyJson)
            .never_fails()
            .to(openapi::openapi),
    ]
}

/// The routes that ask for a credential.
pub fn protected() -> Vec<Endpoint> {
    accounts().into_iter().chain(runs()).chain(sandboxes()).chain(administration()).collect()
}

fn accounts() -> Vec<Endpoint> {
    use api_keys::json::{ApiKeyAnswer, ApiKeyBody, NewApiKeyAnswer};
    use users::json::{MeAnswer, UserAnswer, UserBody};
    let doctor = Content::Json(schema::<doctor::json::DoctorAnswer>);
    vec![
        post("/v1/users", Needs(Admin), Tag::Credentials, "create_user", "Make a user")
            .takes(Takes::Json(schema::<UserBody>))
            .gives(S::CREATED, "The user", Content::Json(schema::<UserAnswer>))
            .fails(&[C::UsernameTaken, C::SignInBusy])
            .to(users::create),
        get("/v1/users/me", SignedIn, Tag::Credentials, "get_me", "The caller")
            .gives(S::OK, "You", Content::Json(schema::<MeAnswer>))
            .to(users::me),
        get("/v1/doctor", Needs(Admin), Tag::Operator, "get_doctor", "What isolates code here")
            .more(
                "What stands between code and the host, with all that the worker saw when it \
                 tried each wall, and what can be done about what is missing.",
            )
            .gives(S::OK, "What was found", doctor)
            .fails(&[C::WorkerUnavailable])
            .to(doctor::doctor),
        post("/v1/api_keys", Needs(Keys), Tag::Credentials, "create_api_key", "Make an API key")
            .more("Its secret is in this answer and nowhere else.")
            .with(idempotency_key)
            .takes(Takes::Json(schema::<ApiKeyBody>))
            .gives(S::CREATED, "The key", Content::Json(schema::<NewApiKeyAnswer>))
            .fails(&OF_KEYS)
            .fails(&[C::TooManyApiKeys])
            .to(api_keys::create),
        get("/v1/api_keys", Needs(Keys), Tag::Credentials, "list_api_keys", "Your API keys")
            .more("Without their secrets.")
            .with(|| page("key"))
            .gives(S::OK, "A page", Content::Json(schema::<PageAnswer<ApiKeyAnswer>>))
            .fails(&[C::ValidationFailed])
            .to(api_keys::list),
        delete("/v1/api_keys/{id}", Needs(Keys), Tag::Credentials, "delete_api_key", "End a key")
            .more("It is refused from the next request on.")
            .gives(S::NO_CONTENT, "Deleted", Content::Nothing)
            .fails(&[C::ApiKeyNotFound])
            .to(api_keys::delete),
    ]
}

fn runs() -> Vec<Endpoint> {
    use executions::json::{CancelAnswer, ExecutionAnswer, ExecutionSummary};
    use executions::run_json::{RunAnswer, RunBody};
    let page_of = Content::Json(schema::<PageAnswer<ExecutionSummary>>);
    vec![
        post("/v1/code_interpreter/run", Needs(Run), Tag::Run, "run_code", "Run code")
            .more(
                "Waits for its end. A program that fails is an outcome, not an error: the answer \
                 is 200, and `status` says how it ended.",
            )
            .with(idempotency_key)
            .takes(Takes::Json(schema::<RunBody>))
            .gives(S::OK, "What it did", Content::Json(schema::<RunAnswer>))
            .fails(&OF_KEYS)
            .fails(&[C::SessionNotFound, C::SessionExpired, C::SessionLost, C::TooManyRunsWaiting])
            .fails(&[C::ShareFull])
            .fails(&[C::LanguageMismatch, C::LanguageUnavailable, C::WorkerFull])
            .fails(&[C::WorkerUnavailable, C::ExecutionUnknown, C::DatabaseBehind])
            .fails(&[C::ExecutionCancelled, C::GatewayStopping, C::AnswersFull])
            .to(executions::run::run),
        get(
            "/v1/code_interpreter/executions",
            Needs(Read),
            Tag::Run,
            "list_executions",
            "Your runs",
        )
        .more("Newest first.")
        .with(|| page("exe"))
        .gives(S::OK, "A page", page_of)
        .fails(&[C::ValidationFailed])
        .to(executions::list),
        get(
            "/v1/code_interpreter/executions/{id}",
            Needs(Read),
            Tag::Run,
            "get_execution",
            "A run",
        )
        .more("With everything that its answer held.")
        .gives(S::OK, "The run", Content::Json(schema::<ExecutionAnswer>))
        .fails(&[C::ExecutionNotFound])
        .to(executions::get),
        get(
            "/v1/code_interpreter/executions/{id}/output/{stream}",
            Needs(Read),
            Tag::Run,
            "get_output",
            "All that a run wrote",
        )
        .more(
            "Byte by byte as it was written: nothing is cut out and nothing replaced. Output \
             that is longer than an answer, or no UTF-8, is kept for a while only; `full_output` \
             in the answer of the run says until when.",
        )
        .with(range)
        .gives(S::OK, "All of it", Content::Output)
        .gives(S::PARTIAL_CONTENT, "The range", Content::Output)
        .fails(&[C::NotFound, C::ExecutionNotFound, C::OutputNotKept, C::ExecutionRunning])
        .fails(&[C::OutputExpired, C::OutputGone, C::RangeNotSatisfiable, C::WorkerUnavailable])
        .to(executions::output::get),
        post(
            "/v1/code_interpreter/executions/{id}/cancel",
            Needs(Run),
            Tag::Run,
            "cancel_execution",
            "End a run early",
        )
        .more("Whoever waits for it gets its answer, with what it had written.")
        .gives(S::OK, "It was asked to end", Content::Json(schema::<CancelAnswer>))
        .fails(&[C::ExecutionNotFound, C::ExecutionNotRunning, C::ExecutionElsewhere])
        .fails(&[C::WorkerUnavailable])
        .to(executions::cancel),
    ]
}

fn sandboxes() -> Vec<Endpoint> {
    use sessions::json::{SessionAnswer, SessionBody, SessionEnded};
    const ALL: &str = "/v1/code_interpreter/sessions";
    const ONE: &str = "/v1/code_interpreter/sessions/{id}";
    let session = Content::Json(schema::<SessionAnswer>);
    vec![
        post(ALL, Needs(Sessions), Tag::Sessions, "create_session", "Make a session")
            .more("A sandbox whose state lives on between runs.")
            .with(idempotency_key)
            .takes(Takes::Json(schema::<SessionBody>))
            .gives(S::CREATED, "The session", session)
            .fails(&OF_KEYS)
            .fails(&[
                C::LanguageUnavailable,
                C::TooManySessions,
                C::TooManyRunsWaiting,
                C::ShareFull,
            ])
            .fails(&[C::WorkerFull, C::WorkerUnavailable])
            .to(sessions::create),
        get(ALL, Needs(Read), Tag::Sessions, "list_sessions", "Your sessions")
            .more("Newest first.")
            .with(|| page("ses"))
            .gives(S::OK, "A page", Content::Json(schema::<PageAnswer<SessionAnswer>>))
            .fails(&[C::ValidationFailed, C::WorkerUnavailable])
            .to(sessions::list),
        get(ONE, Needs(Read), Tag::Sessions, "get_session", "One of your sessions")
            .gives(S::OK, "The session", session)
            .fails(&[C::SessionNotFound, C::WorkerUnavailable])
            .to(sessions::get),
        delete(ONE, Needs(Sessions), Tag::Sessions, "end_session", "End a session")
            .more("A second time it is not found.")
            .gives(S::OK, "It has ended", Content::Json(schema::<SessionEnded>))
            .fails(&[C::SessionNotFound, C::WorkerUnavailable])
            .to(sessions::delete),
    ]
}

/// What becomes of users, and of their passwords.
fn administration() -> Vec<Endpoint> {
    use users::json::{OwnPasswordBody, PasswordBody, UserAnswer};
    const ONE: &str = "/v1/users/{id}";
    let (admin, tag, user) = (Needs(Admin), Tag::Credentials, Content::Json(schema::<UserAnswer>));
    vec![
        get("/v1/users", admin, tag, "list_users", "All users")
            .more("Newest first.")
            .with(|| page("usr"))
            .gives(S::OK, "A page", Content::Json(schema::<PageAnswer<UserAnswer>>))
            .fails(&[C::ValidationFailed])
            .to(users::list),
        get(ONE, admin, tag, "get_user", "A user")
            .gives(S::OK, "The user", user)
            .fails(&[C::UserNotFound])
            .to(users::get),
        delete(ONE, admin, tag, "delete_user", "Delete a user")
            .more("With API keys, sessions and executions.")
            .gives(S::NO_CONTENT, "Deleted", Content::Nothing)
            .fails(&[C::UserNotFound, C::LastAdmin])
            .to(users::delete),
        post("/v1/users/{id}/disable", admin, tag, "disable_user", "Disable a user")
            .more(
                "No token, API key or password of the user is good any more, and sessions and \
                 runs of the user end.",
            )
            .gives(S::OK, "The user", user)
            .fails(&[C::UserNotFound, C::LastAdmin])
            .to(users::disable),
        post("/v1/users/{id}/enable", admin, tag, "enable_user", "Enable a user again")
            .more("API keys of the user are good again; who had signed in has to do so again.")
            .gives(S::OK, "The user", user)
            .fails(&[C::UserNotFound])
            .to(users::enable),
        put("/v1/users/me/password", SignedIn, tag, "change_password", "Change your password")
            .more("Every sign-in of yours is over then: sign in again. API keys stay good.")
            .takes(Takes::Json(schema::<OwnPasswordBody>))
            .gives(S::NO_CONTENT, "Changed", Content::Nothing)
            .fails(&[C::WrongPassword, C::TooManyAttempts, C::SignInBusy])
            .to(users::change_password),
        put("/v1/users/{id}/password", admin, tag, "reset_password", "Give a new password")
            .more("To another user, of whom every sign-in is over then.")
            .takes(Takes::Json(schema::<PasswordBody>))
            .gives(S::NO_CONTENT, "Changed", Content::Nothing)
            .fails(&[C::UserNotFound, C::OwnPassword, C::SignInBusy])
            .to(users::reset_password),
    ]
}
