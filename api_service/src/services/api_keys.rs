//! API keys.

use std::sync::Arc;

use super::Error;
use super::recent::Recent;
use super::secrets::{random_hex, sha256_hex};
use crate::domain::api_key::{ApiKey, MAX_KEYS, NewApiKey};
use crate::domain::caller::Caller;
use crate::domain::ids::{ApiKeyId, UserId};
use crate::domain::page::{Page, PageRequest};
use crate::domain::timestamp::Timestamp;
use crate::storage::Database;

/// What every key begins with; existing sandbox SDKs look for it.
pub const PREFIX: &str = "e2b_";
/// Random bytes of a key: 40 hex digits.
const SECRET_BYTES: usize = 20;
/// Characters of the secret that its owner is shown again: the prefix and four digits.
const PREVIEW_CHARS: usize = 8;

/// Makes, lists, deletes and recognises API keys.
#[derive(Clone)]
pub struct ApiKeys {
    /// Where they are kept.
    pub database: Database,
    /// Those that were used lately, by the hash of their secret, and whether their owner is an
    /// administrator.
    pub recent: Arc<Recent<String, (ApiKey, bool)>>,
}

impl ApiKeys {
    /// Nothing, when the caller may give what the key shall allow. To be asked before an answer from
    /// an earlier time is given again, too: it holds the secret.
    ///
    /// # Errors
    /// [`Error::ScopeMissing`] when the caller wants to give more than the caller has.
    pub fn may_give(caller: &Caller, new: &NewApiKey) -> Result<(), Error> {
        match new.scopes.iter().find(|scope| !caller.holds(**scope)) {
            Some(scope) => Err(Error::ScopeMissing(*scope)),
            None => Ok(()),
        }
    }

    /// Makes a key. Its secret is given here and nowhere else.
    ///
    /// # Errors
    /// Those of [`Self::may_give`], or [`Error::TooManyApiKeys`].
    pub async fn create(&self, caller: &Caller, new: NewApiKey) -> Result<(ApiKey, String), Error> {
        Self::may_give(caller, &new)?;
        // Two who ask at the same moment may get one more: it is a bound, not an account.
        if self.database.count_api_keys(&caller.user).await? >= MAX_KEYS {
            return Err(Error::TooManyApiKeys);
        }
        let secret = format!("{PREFIX}{}", random_hex(SECRET_BYTES)?);
        let key = ApiKey {
            id: ApiKeyId::generate(),
            user: caller.user.clone(),
            name: new.name,
            preview: secret.chars().take(PREVIEW_CHARS).collect(),
            scopes: new.scopes,
            created_at: Timestamp::now(),
            expires_at: new.expires_at,
        };
        self.database.insert_api_key(&key, &sha256_hex(secret.as_bytes())).await?;
        Ok((key, secret))
    }

    /// A user's keys, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(
        &self,
        user: &UserId,
        page: &PageRequest<ApiKeyId>,
    ) -> Result<Page<ApiKey, ApiKeyId>, Error> {
        Ok(self.database.api_keys_of(user, page).await?)
    }

    /// Deletes a user's key; it is refused from the next request on, and by other gateways on the
    /// same database within [`super::recent::GOOD_FOR`].
    ///
    /// # Errors
    /// [`Error::ApiKeyNotFound`].
    pub async fn delete(&self, user: &UserId, id: &ApiKeyId) -> Result<(), Error> {
        if self.database.delete_api_key(user, id).await? {
            self.recent.forget();
            Ok(())
        } else {
            Err(Error::ApiKeyNotFound)
        }
    }

    /// Whose secret it is.
    ///
    /// # Errors
    /// [`Error::CredentialInvalid`] or [`Error::CredentialExpired`].
    pub async fn recognise(&self, secret: &str) -> Result<Caller, Error> {
        let hash = sha256_hex(secret.as_bytes());
        let look = self.database.api_key_by_hash(&hash);
        let found = self.recent.find(hash.clone(), look).await?;
        let (key, is_admin) = found.ok_or(Error::CredentialInvalid)?;
        if key.expires_at.is_some_and(Timestamp::has_passed) {
            return Err(Error::CredentialExpired);
        }
        Ok(Caller::with_api_key(key.user, is_admin, &key.scopes))
    }
}
