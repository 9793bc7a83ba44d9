//! `/v1/users`.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::credentials::{MAX_PASSWORD, NewPassword, Username, is_plausible_password};
use crate::domain::field_error::{FieldError, FieldErrors};
use crate::domain::scope::Scope;
use crate::domain::user::User;
use crate::http::rest::fields::timestamp;
use crate::http::rest::fields::words;

/// A user to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserBody {
    /// 2 to 64 of `a-z 0-9 . _ - + @`; case does not count.
    #[schema(pattern = "^[A-Za-z0-9._+@-]{2,64}$")]
    pub username: String,
    /// At least 8 characters.
    #[schema(format = Password, min_length = 8, max_length = 256, pattern = "^[^\\u0000]*$")]
    pub password: String,
    /// True for one who may make users.
    #[serde(default)]
    pub is_admin: bool,
}

impl fmt::Debug for UserBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserBody(…)")
    }
}

impl UserBody {
    /// Checks name and password.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self) -> Result<(Username, NewPassword, bool), Vec<FieldError>> {
        let Self { username, password, is_admin } = self;
        let mut errors = FieldErrors::default();
        let username = errors.keep("username", Username::parse(&username));
        let password = NewPassword::parse(password, username.as_ref());
        let password = errors.keep("password", password);
        errors.finish(username.zip(password).map(|(name, password)| (name, password, is_admin)))
    }
}

/// A new password of one's own.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnPasswordBody {
    /// The present one.
    #[schema(format = Password, min_length = 1, max_length = 256)]
    pub password: String,
    /// At least 8 characters.
    #[schema(format = Password, min_length = 8, max_length = 256, pattern = r"^[^\x00]*$")]
    pub new_password: String,
}

impl fmt::Debug for OwnPasswordBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnPasswordBody(…)")
    }
}

impl OwnPasswordBody {
    /// Checks both; whether the present one is right is another question.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self, user: &Username) -> Result<(String, NewPassword), Vec<FieldError>> {
        let Self { password, new_password } = self;
        let mut errors = FieldErrors::default();
        if !is_plausible_password(&password) {
            errors.push("password", format!("must have 1 to {MAX_PASSWORD} characters"));
        }
        let new = errors.keep("new_password", NewPassword::parse(new_password, Some(user)));
        errors.finish(new.map(|new| (password, new)))
    }
}

/// A new password of another user.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordBody {
    /// At least 8 characters.
    #[schema(format = Password, min_length = 8, max_length = 256, pattern = r"^[^\x00]*$")]
    pub password: String,
}

impl fmt::Debug for PasswordBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordBody(…)")
    }
}

impl PasswordBody {
    /// Checks it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(self, user: &Username) -> Result<NewPassword, Vec<FieldError>> {
        let Self { password } = self;
        let mut errors = FieldErrors::default();
        let password = errors.keep("password", NewPassword::parse(password, Some(user)));
        errors.finish(password)
    }
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "usr_019b7f3c2d9a7d3b8a2f1c0e5d4b6a79", "username": "ada", "is_admin": false,
    "created_at": "2026-01-31T12:00:00Z", "disabled_at": null
}))]
pub struct UserAnswer {
    /// Never reused.
    pub id: String,
    /// In lower case.
    pub username: String,
    /// True for one who may make users.
    pub is_admin: bool,
    /// When the user was made.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Since when the user cannot sign in; null for one who can.
    #[schema(format = DateTime, required)]
    pub disabled_at: Option<String>,
}

/// The caller.
#[derive(Debug, Serialize, ToSchema)]
pub struct MeAnswer {
    /// The user.
    #[serde(flatten)]
    pub user: UserAnswer,
    /// What the credential allows.
    #[schema(schema_with = words::scopes)]
    pub scopes: Vec<&'static str>,
}

impl UserAnswer {
    /// From the domain.
    pub fn of(user: User) -> Self {
        let User { id, username, is_admin, created_at, disabled_at, generation: _ } = user;
        Self {
            id: id.to_string(),
            username: username.to_string(),
            is_admin,
            created_at: timestamp::write(created_at),
            disabled_at: disabled_at.map(timestamp::write),
        }
    }
}

impl MeAnswer {
    /// From the domain.
    pub fn of(user: User, scopes: &[Scope]) -> Self {
        let scopes = scopes.iter().map(|scope| scope.name()).collect();
        Self { user: UserAnswer::of(user), scopes }
    }
}
