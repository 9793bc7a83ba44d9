//! What every call carries beside its message.

use std::fmt;
use std::time::Duration;

use proto::wire::{AUTHORIZATION, REQUEST_ID};
use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};

use super::Error;

/// On whose request, and until when.
#[derive(Debug, Clone)]
pub struct Call {
    /// So that both services log the same id.
    pub request_id: String,
    /// How long the worker may take; it is told so.
    pub deadline: Duration,
}

/// What proves to the worker that the gateway calls. Never printed.
#[derive(Clone)]
pub(super) struct Token(MetadataValue<Ascii>);

impl Token {
    pub(super) fn new(token: &str) -> Result<Self, Error> {
        let mut value: MetadataValue<Ascii> =
            format!("Bearer {token}").parse().map_err(|_| Error::UnusableToken)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Call {
    pub(super) fn request<Message>(
        &self,
        token: &Token,
        message: Message,
    ) -> Result<Request<Message>, Error> {
        let id = self.request_id.parse().map_err(|_| Error::UnusableRequestId)?;
        let mut request = Request::new(message);
        request.metadata_mut().insert(AUTHORIZATION, token.0.clone());
        request.metadata_mut().insert(REQUEST_ID, id);
        request.set_timeout(self.deadline);
        Ok(request)
    }
}
