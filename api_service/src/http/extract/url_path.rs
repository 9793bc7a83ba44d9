//! The path of a file, as it stands at the end of a URL: its bytes, whatever they are.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::domain::field_error::FieldError;
use crate::domain::files::FilePath;
use crate::http::failure::Failure;

/// What stands before it.
const BEFORE: &str = "/files/";

/// What stands behind `…/files/`. It is read from the URL as it came: what the router has matched was decoded as text.
pub struct PathInUrl(pub FilePath);

impl FromRequest for PathInUrl {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let path = request.uri().path().split_once(BEFORE).map_or("", |(_, path)| path);
        let path = FilePath::from_url(path).map(Self);
        ready(path.map_err(|why| Failure::Invalid(vec![FieldError::new("path", why)])))
    }
}
