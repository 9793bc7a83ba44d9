//! The internal token, checked before anything else of a call is looked at.

use proto::wire::AUTHORIZATION;
use settings::Secret;
use subtle::ConstantTimeEq;
use tonic::service::Interceptor;
use tonic::{Request, Status};

use super::connections::Authentication;
use super::status::unauthenticated;

/// Lets through who shows the token.
#[derive(Clone)]
pub struct Authenticate(Secret);

impl Authenticate {
    /// With `token` as the one to show.
    pub fn new(token: Secret) -> Self {
        Self(token)
    }
}

impl Interceptor for Authenticate {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let shown = request
            .metadata()
            .get(AUTHORIZATION)
            .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "))
            .unwrap_or_default();
        // In constant time: how long a comparison takes must not tell how much was right.
        if bool::from(shown.ct_eq(self.0.expose().as_bytes())) {
            if let Some(connection) = request.extensions().get::<Authentication>() {
                connection.succeeded();
            }
            Ok(request)
        } else {
            Err(unauthenticated())
        }
    }
}
