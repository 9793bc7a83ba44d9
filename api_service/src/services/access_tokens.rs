//! Access tokens: JWTs that prove a sign-in for a short while.

use std::time::Duration;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Error;
use crate::domain::ids::UserId;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::User;

const ISSUER: &str = "crucible";
const AUDIENCE: &str = "crucible-api";

/// Issues and checks access tokens. Only HS256 is accepted, whatever a token says of itself.
pub struct AccessTokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    lifetime: Duration,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    jti: String,
    iat: i64,
    exp: i64,
    #[serde(default)]
    generation: i64,
}

/// What a token proves: that somebody signed in as this user, in that generation. Whether the user
/// may still do anything is the database's to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenSignIn {
    /// The user.
    pub user: UserId,
    /// The user's generation at the sign-in.
    pub generation: i64,
}

impl AccessTokens {
    /// Tokens signed with `key` that are good for `lifetime`.
    pub fn new(key: &[u8], lifetime: Duration) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub", "jti"]);
        validation.leeway = 0;
        // Ours have none; one that has is kept to it.
        validation.validate_nbf = true;
        Self {
            encoding: EncodingKey::from_secret(key),
            decoding: DecodingKey::from_secret(key),
            validation,
            lifetime,
        }
    }

    /// How long a token is good for.
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// A token for a user.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn issue(&self, user: &User) -> Result<String, Error> {
        let now = Timestamp::now();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: user.id.as_str().to_owned(),
            jti: Uuid::new_v4().simple().to_string(),
            iat: now.seconds(),
            exp: now.after(self.lifetime).seconds(),
            generation: user.generation,
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .map_err(|_| Error::Fault("an access token cannot be signed"))
    }

    /// What the token proves.
    ///
    /// # Errors
    /// [`Error::CredentialExpired`], or [`Error::CredentialInvalid`] for anything else.
    pub fn verify(&self, token: &str) -> Result<ProvenSignIn, Error> {
        let claims: Claims = decode(token, &self.decoding, &self.validation)
            .map_err(|error| match error.kind() {
                ErrorKind::ExpiredSignature => Error::CredentialExpired,
                _ => Error::CredentialInvalid,
            })?
            .claims;
        let user = UserId::parse(&claims.sub).ok_or(Error::CredentialInvalid)?;
        Ok(ProvenSignIn { user, generation: claims.generation })
    }
}
