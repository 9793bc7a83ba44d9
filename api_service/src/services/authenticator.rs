//! From a credential to a caller.

use std::sync::Arc;

use super::Error;
use super::access_tokens::AccessTokens;
use super::api_keys::{self, ApiKeys};
use crate::domain::caller::Caller;

/// Recognises access tokens and API keys.
#[derive(Clone)]
pub struct Authenticator {
    /// For what does not look like an API key.
    pub access_tokens: Arc<AccessTokens>,
    /// For what does.
    pub api_keys: ApiKeys,
}

impl Authenticator {
    /// Whose credential it is.
    ///
    /// # Errors
    /// [`Error::CredentialInvalid`] or [`Error::CredentialExpired`].
    pub async fn recognise(&self, credential: &str) -> Result<Caller, Error> {
        if credential.starts_with(api_keys::PREFIX) {
            self.api_keys.recognise(credential).await
        } else {
            self.access_tokens.verify(credential)
        }
    }
}
