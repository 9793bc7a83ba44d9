//! Users, API keys, and what only administrators may ask.

use actix_web::http::StatusCode as S;

use super::{delete, get, page, post, put};
use crate::domain::scope::Access::{Needs, SignedIn};
use crate::domain::scope::Scope::{Admin, Keys};
use crate::http::failure::Code as C;
use crate::http::rest::endpoint::{Content, Endpoint, OF_KEYS, Tag, Takes};
use crate::http::rest::fields::page::PageAnswer;
use crate::http::rest::schemas::{idempotency_key, schema};
use crate::http::rest::{api_keys, doctor, users};

pub(super) fn rows() -> Vec<Endpoint> {
    accounts().into_iter().chain(administration()).collect()
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
