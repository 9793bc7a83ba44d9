//! Sign-in, and how it is prolonged and ended.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::Error;
use super::access_tokens::AccessTokens;
use super::attempts::Attempts;
use super::passwords::Passwords;
use super::secrets::{random_hex, sha256_hex};
use crate::domain::credentials::Username;
use crate::domain::ids::FamilyId;
use crate::domain::refresh_token::{RefreshToken, Rotation};
use crate::domain::timestamp::Timestamp;
use crate::domain::user::User;
use crate::storage::Database;

/// Random bytes of a refresh token.
const REFRESH_BYTES: usize = 32;

/// What a sign-in gives.
pub struct TokenPair {
    /// For the `Authorization` header.
    pub access_token: String,
    /// How long that is good for.
    pub expires_in: Duration,
    /// Good for one more pair.
    pub refresh_token: String,
}

/// Signs users in and out.
#[derive(Clone)]
pub struct SignIn {
    /// Where users and refresh tokens are kept.
    pub database: Database,
    /// Checks passwords.
    pub passwords: Passwords,
    /// Issues access tokens.
    pub access_tokens: Arc<AccessTokens>,
    /// Counts attempts.
    pub attempts: Arc<Attempts>,
    /// How long a refresh token is good for.
    pub refresh_lifetime: Duration,
}

impl SignIn {
    /// Signs a user in.
    ///
    /// # Errors
    /// [`Error::BadCredentials`], [`Error::UserDisabled`], [`Error::TooManyAttempts`] or
    /// [`Error::SignInBusy`].
    pub async fn with_password(
        &self,
        name: &Username,
        password: &str,
        peer: Option<IpAddr>,
    ) -> Result<TokenPair, Error> {
        self.attempts.count(name, peer)?;
        let (user, hash) = self.database.user_by_name(name).await?.unzip();
        let matches = self.passwords.verify(password, hash).await?;
        let user = user.filter(|_| matches).ok_or(Error::BadCredentials)?;
        self.attempts.succeeded(name, peer);
        if user.disabled_at.is_some() {
            return Err(Error::UserDisabled);
        }
        let family = FamilyId::generate();
        let refresh_token = secret_of(&family)?;
        let kept = RefreshToken {
            hash: sha256_hex(refresh_token.as_bytes()),
            family,
            user: user.id.clone(),
            generation: user.generation,
            expires_at: self.refresh_expiry(),
        };
        self.database.insert_refresh_token(&kept).await?;
        self.pair(&user, refresh_token)
    }

    /// Gives a new pair for a refresh token, which is used up by that.
    ///
    /// # Errors
    /// [`Error::RefreshRefused`]; when the token had been used before, every token that descends
    /// from the same sign-in is refused from now on.
    pub async fn refresh(&self, presented: &str) -> Result<TokenPair, Error> {
        let used = sha256_hex(presented.as_bytes());
        let Some(family) = self.database.family_of_refresh_token(&used).await? else {
            return Err(self.forgotten(presented).await?);
        };
        let successor = secret_of(&family)?;
        let kept = sha256_hex(successor.as_bytes());
        match self.database.rotate_refresh_token(&used, &kept, self.refresh_expiry()).await? {
            Rotation::Rotated(id, generation) => {
                let user = self.database.user_by_id(&id).await?;
                let user =
                    user.filter(|user| user.disabled_at.is_none() && user.generation == generation);
                let user = user.ok_or(Error::RefreshRefused)?;
                self.pair(&user, successor)
            }
            Rotation::Reused(family) => {
                warn_of_reuse(&family);
                Err(Error::RefreshRefused)
            }
            Rotation::Refused => Err(Error::RefreshRefused),
        }
    }

    /// Refuses a token that nothing is known of. Used tokens are not remembered for ever, and whoever
    /// holds a copy could refresh until the owner's is forgotten: so a token names its family, and
    /// a family that is still there had it once.
    async fn forgotten(&self, presented: &str) -> Result<Error, Error> {
        if let Some(family) = family_in(presented)
            && self.database.has_refresh_family(&family).await?
        {
            self.database.revoke_refresh_family(&family).await?;
            warn_of_reuse(&family);
        }
        Ok(Error::RefreshRefused)
    }

    /// Ends a sign-in: no token that descends from it is good any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_out(&self, presented: &str) -> Result<(), Error> {
        let hash = sha256_hex(presented.as_bytes());
        if let Some(family) = self.database.family_of_refresh_token(&hash).await? {
            self.database.revoke_refresh_family(&family).await?;
        }
        Ok(())
    }

    fn refresh_expiry(&self) -> Timestamp {
        Timestamp::now().after(self.refresh_lifetime)
    }

    fn pair(&self, user: &User, refresh_token: String) -> Result<TokenPair, Error> {
        Ok(TokenPair {
            access_token: self.access_tokens.issue(user)?,
            expires_in: self.access_tokens.lifetime(),
            refresh_token,
        })
    }
}

/// A new secret, which says whose descendant it is.
fn secret_of(family: &FamilyId) -> Result<String, Error> {
    Ok(format!("{family}.{}", random_hex(REFRESH_BYTES)?))
}

fn family_in(presented: &str) -> Option<FamilyId> {
    presented.split_once('.').and_then(|(family, _)| FamilyId::parse(family))
}

fn warn_of_reuse(family: &FamilyId) {
    tracing::warn!(%family, "a used refresh token came back; its family is revoked");
}
