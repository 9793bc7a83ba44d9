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
            aside(length, move || Ok(Self { value: shape(&bytes)?, bytes, permit })).await?
        })
    }
}

impl<T: Send + 'static> Json<T> {
    /// What `parse` makes of the value: of a thousand files that takes as long as to read them did.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn parsed<U: Send + 'static>(
        self,
        parse: impl FnOnce(T) -> Result<U, Vec<FieldError>> + Send + 'static,
    ) -> Result<Parsed<U>, Failure> {
        let Self { value, bytes, permit } = self;
        let parsed = aside(bytes.len(), move || parse(value)).await?;
        Ok(Parsed { value: parsed.map_err(Failure::Invalid)?, bytes, _permit: permit })
    }
}

/// What a JSON body means, and its bytes.
pub struct Parsed<T> {
    /// What it means.
    pub value: T,
    /// As it came.
    pub bytes: BytesMut,
    /// The memory that it takes until it is dropped.
    _permit: Option<MemoryPermit>,
}

/// Does `work` for a body of `length` bytes: on another thread where that is long.
async fn aside<T: Send + 'static>(
    length: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    if length <= READ_ASIDE {
        return Ok(work());
    }
    let done = web::block(work).await;
    done.map_err(|_| Failure::from(Error::Fault("a body was not read to its end")))
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
