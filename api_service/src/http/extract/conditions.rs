//! `If-Match`, `If-None-Match` and `If-Range`.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH, IF_RANGE, RANGE};
use actix_web::{FromRequest, HttpRequest};

use crate::domain::byte_range::ByteRange;
use crate::domain::field_error::FieldError;
use crate::domain::files::{Condition, EntityTags};
use crate::http::failure::Failure;

/// On which versions of a file something is to be done.
pub struct Conditions(pub Condition);

/// The range that the caller asks for, if any, and of which version.
pub struct RangeOfVersion {
    /// Which bytes.
    pub range: Option<ByteRange>,
    /// Of this version; of any other, all of it. What is no version, such as a date, is none of any file's.
    pub of: Option<String>,
}

impl FromRequest for Conditions {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let condition = || {
            Ok(Condition {
                is: tags(request, &IF_MATCH)?.map(EntityTags::compared_strongly),
                is_not: tags(request, &IF_NONE_MATCH)?.map(EntityTags::compared_weakly),
            })
        };
        ready(condition().map(Self).map_err(|error| Failure::Invalid(vec![error])))
    }
}

/// Several headers of that name are one list.
fn tags(request: &HttpRequest, name: &HeaderName) -> Result<Option<EntityTags>, FieldError> {
    let wrong = |why| FieldError::new(name.as_str(), why);
    let values: Result<Vec<&str>, _> =
        request.headers().get_all(name).map(|value| value.to_str()).collect();
    let values = values.map_err(|_| wrong("must be plain text"))?;
    if values.is_empty() {
        return Ok(None);
    }
    EntityTags::parse(&values.join(",")).map(Some).map_err(wrong)
}

impl FromRequest for RangeOfVersion {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let text = |name: HeaderName| {
            request.headers().get(name).map(|value| value.to_str().unwrap_or("-"))
        };
        let of = text(IF_RANGE).map(|value| {
            let tag = value.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            tag.filter(|tag| !tag.is_empty()).unwrap_or("-").to_owned()
        });
        ready(Ok(Self { range: text(RANGE).and_then(ByteRange::parse), of }))
    }
}
