//! From a credential to a caller.

use std::sync::Arc;

use super::Error;
use super::access_tokens::AccessTokens;
use super::api_keys::{self, ApiKeys};
use super::users::Users;
use crate::domain::caller::Caller;

/// Recognises access tokens and API keys.
#[derive(Clone)]
pub struct Authenticator {
    /// For what does not look like an API key.
    pub access_tokens: Arc<AccessTokens>,
    /// Whether those who signed in may still do anything.
    pub users: Users,
    /// For what looks like an API key.
    pub api_keys: ApiKeys,
}

impl Authenticator {
    /// Whose credential it is.
    ///
    /// # Errors
    /// [`Error::CredentialInvalid`] or [`Error::CredentialExpired`].
    pub async fn recognise(&self, credential: &str) -> Result<Caller, Error> {
        if credential.starts_with(api_keys::PREFIX) {
            return self.api_keys.recognise(credential).await;
        }
        let proven = self.access_tokens.verify(credential)?;
        let account = self.users.active(&proven.user).await?;
        if account.generation != proven.generation {
            return Err(Error::CredentialInvalid);
        }
        Ok(Caller::signed_in(proven.user, account.is_admin))
    }
}
