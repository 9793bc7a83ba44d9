//! A JSON body.

use actix_web::dev::Payload;
use actix_web::web::{self, BytesMut};
use actix_web::{FromRequest, HttpRequest};
use futures::future::LocalBoxFuture;
use serde::de::DeserializeOwned;

use super::body::{self, Body};
use super::{shape_error, strict_json};
use crate::domain::field_error::FieldError;
use crate::http::failure::Failure;
use crate::http::memory_budget::MemoryPermit;
use crate::services::Error;

/// A JSON body in the shape of `T`, and its bytes.
pub struct Json<T> {
    /// In the shape of the contract; its meaning is not checked yet.
    pub value: T,
    /// As it came.
    pub bytes: BytesMut,
    /// The memory that it takes until it is dropped.
    pub permit: Option<MemoryPermit>,
}

/// A body of more bytes than this is read aside: a few megabytes of nothing but keys keep a
/// processor busy for a second, and everybody else whose connection has the same thread waiting.
const READ_ASIDE: usize = 64 << 10;

impl<T: DeserializeOwned + Send + 'static> FromRequest for Json<T> {
    type Error = Failure;
    type Future = LocalBoxFuture<'static, Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            if body::media_type(&request) != "application/json" {
                return Err(Failure::WrongMediaType("application/json"));
            }
            let Body { bytes, permit } = body::read(&request, payload).await?;
            let length = bytes.len();
            let whole = move || Ok(Self { value: shape(&bytes)?, bytes, permit });
            if length <= READ_ASIDE {
                return whole();
            }
            web::block(whole).await.map_err(|_| Error::Fault("a body was not read to its end"))?
        })
    }
}

/// Strict JSON in the shape of `T`; what does not fit is named by its path.
///
/// # Errors
/// What is wrong with it.
pub fn shape<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    strict_json::check(bytes)?;
    // A derived shape would take an array for its fields in their order, too.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(Failure::Invalid(vec![FieldError::new("body", "must be a JSON object")]));
    }
    shape_error::named(&mut serde_json::Deserializer::from_slice(bytes), "body")
}
