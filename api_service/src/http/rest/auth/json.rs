//! `/v1/auth/…`.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::credentials::{MAX_PASSWORD, Username, is_plausible_password};
use crate::domain::field_error::{FieldError, FieldErrors};
use crate::http::rest::fields::words;

/// Longest refresh token that is looked up; ours have 101 characters.
const MAX_REFRESH_TOKEN: usize = 256;

/// A sign-in, as JSON or as a form (the password grant of OAuth 2).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenBody {
    /// Who.
    #[schema(pattern = "^[A-Za-z0-9._+@-]{2,64}$")]
    pub username: String,
    /// The password.
    #[schema(format = Password, min_length = 1, max_length = 256)]
    pub password: String,
    /// `password`, if given at all.
    #[schema(schema_with = words::grant_type)]
    pub grant_type: Option<String>,
    /// Sent by OAuth 2 clients; not used.
    pub scope: Option<String>,
    /// Sent by OAuth 2 clients; not used.
    pub client_id: Option<String>,
    /// Sent by OAuth 2 clients; not used.
    pub client_secret: Option<String>,
}

impl fmt::Debug for TokenBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenBody(…)")
    }
}

impl TokenBody {
    /// Checks the shape; whether the password is right is another question.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self) -> Result<(Username, String), Vec<FieldError>> {
        let Self { username, password, grant_type, scope: _, client_id: _, client_secret: _ } =
            self;
        let mut errors = FieldErrors::default();
        if grant_type.is_some_and(|grant| grant != "password") {
            errors.push("grant_type", "must be password");
        }
        if !is_plausible_password(&password) {
            errors.push("password", format!("must have 1 to {MAX_PASSWORD} characters"));
        }
        let username = errors.keep("username", Username::parse(&username));
        errors.finish(username.map(|username| (username, password)))
    }
}

/// A refresh token to use up or to revoke.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshBody {
    /// From the last answer.
    #[schema(min_length = 1, max_length = 256)]
    pub refresh_token: String,
}

impl fmt::Debug for RefreshBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshBody(…)")
    }
}

impl RefreshBody {
    /// Checks the shape.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(self) -> Result<String, Vec<FieldError>> {
        let Self { refresh_token } = self;
        if refresh_token.is_empty() || refresh_token.len() > MAX_REFRESH_TOKEN {
            let msg = format!("must have 1 to {MAX_REFRESH_TOKEN} bytes");
            return Err(vec![FieldError::new("refresh_token", msg)]);
        }
        Ok(refresh_token)
    }
}

/// A pair of tokens.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "access_token": "eyJhbGciOi…", "token_type": "bearer", "expires_in": 1800,
    "refresh_token": "019b7f3c…"
}))]
pub struct TokenAnswer {
    /// For the `Authorization` header.
    pub access_token: String,
    /// bearer.
    #[schema(schema_with = words::token_type)]
    pub token_type: &'static str,
    /// How long the access token is good for, in seconds.
    pub expires_in: u64,
    /// Good for one more pair.
    pub refresh_token: String,
}

impl TokenAnswer {
    /// From the parts of a pair.
    pub fn of(access_token: String, expires_in: Duration, refresh_token: String) -> Self {
        Self { access_token, token_type: "bearer", expires_in: expires_in.as_secs(), refresh_token }
    }
}
