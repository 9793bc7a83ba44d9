//! Who is asking: answered before a byte of the body is read.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};

use crate::domain::caller::Caller;
use crate::http::failure::Failure;
use crate::services::authenticator::Authenticator;

const API_KEY: &str = "x-api-key";
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
    let credential = credential(headers).ok_or(Failure::NoCredential)?;
    Ok(authenticator.recognise(credential).await?)
}

fn credential(headers: &HeaderMap) -> Option<&str> {
    let mut bearers = headers.get_all(AUTHORIZATION);
    let mut keys = headers.get_all(API_KEY);
    // Of two credentials a proxy before us may have looked at the other one.
    let text = match (bearers.next(), bearers.next(), keys.next(), keys.next()) {
        (Some(value), None, _, None) => {
            let (scheme, rest) = value.to_str().ok()?.split_once(' ')?;
            if !scheme.eq_ignore_ascii_case("bearer") {
                return None;
            }
            rest.trim()
        }
        (None, None, Some(key), None) => key.to_str().ok()?,
        _ => return None,
    };
    (!text.is_empty() && text.len() <= MAX_CREDENTIAL).then_some(text)
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
            if let Some(found) = credential(&headers) {
                prop_assert!(value[..7].eq_ignore_ascii_case(b"bearer "));
                prop_assert_eq!(found.as_bytes(), value[7..].trim_ascii());
                prop_assert!(!found.is_empty());
            }
        }

        #[test]
        fn a_bad_authorization_is_not_made_good_by_a_key(value in "[!-~]{1,20}") {
            let mut headers = headers(AUTHORIZATION, value.as_bytes());
            headers.insert(HeaderName::from_static(API_KEY), HeaderValue::from_static("e2b_0"));
            prop_assert_eq!(credential(&headers), None, "there is no space in it");
        }

        #[test]
        fn of_two_credentials_none_counts(first in "[!-~]{1,20}", second in "[!-~]{1,20}") {
            for name in [AUTHORIZATION, HeaderName::from_static(API_KEY)] {
                let mut headers = HeaderMap::new();
                for value in [&first, &second] {
                    let value = HeaderValue::try_from(format!("Bearer {value}")).unwrap();
                    headers.append(name.clone(), value);
                }
                prop_assert_eq!(credential(&headers), None);
            }
        }

        #[test]
        fn long_credentials_are_not_looked_at(length in 1..10_000_usize) {
            let headers = headers(HeaderName::from_static(API_KEY), "x".repeat(length).as_bytes());
            prop_assert_eq!(credential(&headers).is_some(), length <= MAX_CREDENTIAL);
        }
    }
}
