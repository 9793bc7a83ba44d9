//! `/v1/users`.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::rest::fields::words;

use crate::domain::credentials::{NewPassword, Username};
use crate::domain::field_error::{FieldError, FieldErrors};
use crate::domain::scope::Scope;
use crate::domain::user::User;
use crate::http::rest::fields::timestamp;

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

/// A user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "usr_019b7f3c2d9a7d3b8a2f1c0e5d4b6a79", "username": "ada", "is_admin": false,
    "created_at": "2026-01-31T12:00:00Z"
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
        let User { id, username, is_admin, created_at } = user;
        Self {
            id: id.to_string(),
            username: username.to_string(),
            is_admin,
            created_at: timestamp::write(created_at),
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
