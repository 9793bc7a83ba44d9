//! Who is asking: answered before a byte of the body is read.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};

use crate::domain::caller::Caller;
use crate::http::failure::Failure;
use crate::services::authenticator::Authenticator;

/// The header of an API key.
pub const API_KEY: &str = "x-api-key";
/// Longest credential that is looked at; ours have some 400 characters.
const MAX_CREDENTIAL: usize = 4096;

/// Lets through whom we know, and puts the caller where handlers find it. A path that does not exist
/// takes a credential, too: what exists is nobody's business but a caller's.
///
/// # Errors
/// What is inside does not answer.
pub async fn authenticate(
    authenticator: web::Data<Authenticator>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    match recognise(&authenticator, request.headers()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.call(request).await.map(ServiceResponse::map_into_left_body)
        }
        Err(error) => {
            let response = actix_web::HttpResponse::from_error(error);
            Ok(request.into_response(response).map_into_right_body())
        }
    }
}

async fn recognise(authenticator: &Authenticator, headers: &HeaderMap) -> Result<Caller, Failure> {
    Ok(authenticator.recognise(credential(headers)?).await?)
}

/// The one credential. An `Authorization` of another scheme than Bearer is for somebody else, a proxy
/// perhaps, when there is an API key beside it. Of two credentials none counts, unless they are the
/// same: a proxy before us may have looked at the other one.
///
/// # Errors
/// [`Failure::NoCredential`] or [`Failure::SeveralCredentials`].
pub fn credential(headers: &HeaderMap) -> Result<&str, Failure> {
    let bearer = match sole(headers, AUTHORIZATION)? {
        Some(value) => bearer(value)?,
        None => None,
    };
    let key = sole(headers, HeaderName::from_static(API_KEY))?.map(HeaderValue::to_str);
    let key = key.transpose().map_err(|_| Failure::NoCredential)?;
    let text = match (bearer, key) {
        (Some(one), None) | (None, Some(one)) => one,
        (Some(bearer), Some(key)) if bearer == key => bearer,
        (Some(_), Some(_)) => return Err(Failure::SeveralCredentials),
        (None, None) => return Err(Failure::NoCredential),
    };
    let sane = !text.is_empty() && text.len() <= MAX_CREDENTIAL;
    if sane { Ok(text) } else { Err(Failure::NoCredential) }
}

fn sole(headers: &HeaderMap, name: HeaderName) -> Result<Option<&HeaderValue>, Failure> {
    let mut values = headers.get_all(name);
    match (values.next(), values.next()) {
        (first, None) => Ok(first),
        (_, Some(_)) => Err(Failure::SeveralCredentials),
    }
}

/// What follows `Bearer`; `None` for another scheme.
fn bearer(value: &HeaderValue) -> Result<Option<&str>, Failure> {
    let text = value.to_str().map_err(|_| Failure::NoCredential)?;
    let (scheme, rest) = text.split_once(' ').ok_or(Failure::NoCredential)?;
    Ok(scheme.eq_ignore_ascii_case("bearer").then(|| rest.trim()))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::{API_KEY, MAX_CREDENTIAL, credential};

    fn headers(name: HeaderName, value: &[u8]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.insert(name, value);
        }
        headers
    }

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let text = "([Bb]earer|Basic|BEARER)?[ \t]{0,3}[!-~ ]{0,30}".prop_map(String::into_bytes);
        prop_oneof![text, prop::collection::vec(any::<u8>(), 0..60)]
    }

    proptest! {
        #[test]
        fn a_credential_is_what_follows_bearer_and_nothing_else(value in bytes()) {
            let headers = headers(AUTHORIZATION, &value);
            if let Ok(found) = credential(&headers) {
                prop_assert!(value[..7].eq_ignore_ascii_case(b"bearer "));
                prop_assert_eq!(found.as_bytes(), value[7..].trim_ascii());
                prop_assert!(!found.is_empty());
            }
        }

        #[test]
        fn a_bad_authorization_is_not_made_good_by_a_key(value in "[!-~]{1,20}") {
            let mut headers = headers(AUTHORIZATION, value.as_bytes());
            headers.insert(HeaderName::from_static(API_KEY), HeaderValue::from_static("e2b_0"));
            prop_assert!(credential(&headers).is_err(), "there is no space in it");
        }

        #[test]
        fn of_two_credentials_none_counts(first in "[!-~]{1,20}", second in "[!-~]{1,20}") {
            for name in [AUTHORIZATION, HeaderName::from_static(API_KEY)] {
                let mut headers = HeaderMap::new();
                for value in [&first, &second] {
                    let value = HeaderValue::try_from(format!("Bearer {value}")).unwrap();
                    headers.append(name.clone(), value);
                }
                prop_assert!(credential(&headers).is_err());
            }
        }

        #[test]
        fn long_credentials_are_not_looked_at(length in 1..10_000_usize) {
            let headers = headers(HeaderName::from_static(API_KEY), "x".repeat(length).as_bytes());
            prop_assert_eq!(credential(&headers).is_ok(), length <= MAX_CREDENTIAL);
        }
    }
}
