//! The `Origin` header of a WebSocket, which no rule of browsers guards: they let any page open one.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::{HOST, HeaderMap, ORIGIN};
use actix_web::{FromRequest, HttpRequest};

use crate::http::failure::Failure;

/// The origins whose pages may call us, beside our own.
#[derive(Debug, Clone)]
pub struct AllowedOrigins(pub Arc<[String]>);

/// Proof that the page, if it is one, may do this.
pub struct CheckedOrigin(());

impl FromRequest for CheckedOrigin {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let allowed = request.app_data::<AllowedOrigins>().map_or(&[][..], |origins| &origins.0);
        let fits = is_allowed(request.headers(), allowed);
        ready(if fits { Ok(Self(())) } else { Err(Failure::OriginRefused) })
    }
}

/// Without the header it is no browser. Our own pages need no rule, as for all other requests.
fn is_allowed(headers: &HeaderMap, allowed: &[String]) -> bool {
    let mut origins = headers.get_all(ORIGIN);
    let origin = match (origins.next(), origins.next()) {
        (None, _) => return true,
        (Some(origin), None) => origin.to_str().unwrap_or_default(),
        (Some(_), Some(_)) => return false,
    };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let own = origin.split_once("://").map(|(_, authority)| authority);
    allowed.iter().any(|one| one == origin) || (own.is_some() && own == host)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn only_pages_that_are_named_and_our_own() {
        let allowed = ["https://app.example.org".to_owned()];
        let ask = |origins: &[&'static str]| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("code.example.org:8000"));
            for origin in origins {
                headers.append(ORIGIN, HeaderValue::from_static(origin));
            }
            is_allowed(&headers, &allowed)
        };
        assert!(ask(&[]) && ask(&["https://app.example.org"]));
        assert!(ask(&["http://code.example.org:8000"]), "our own");
        for other in [
            "https://app.example.org.evil.example",
            "http://app.example.org",
            "https://code.example.org",
            "null",
            "",
        ] {
            assert!(!ask(&[other]), "{other}");
        }
        assert!(!ask(&["https://app.example.org", "https://app.example.org"]));
    }
}
