//! The `Accept` header: whether a caller wants an answer, or events as they happen.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{ACCEPT, HeaderMap};
use actix_web::{FromRequest, HttpRequest};

/// What a caller wants to be answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// JSON; also when the header names nothing that there is, since most callers do not mean it.
    Json,
    /// Server-sent events. They have to be named, and wanted as much as JSON: of two that are wanted alike, the
    /// first counts.
    EventStream,
}

impl FromRequest for Wanted {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request.headers())))
    }
}

impl Wanted {
    fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(ACCEPT).filter_map(|value| value.to_str().ok());
        let mut best: Option<(u16, Self)> = None;
        for range in values.flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let wanted = match parts.next().map(str::to_ascii_lowercase).as_deref() {
                Some("text/event-stream") => Self::EventStream,
                Some("application/json") => Self::Json,
                _ => continue,
            };
            let weight = parts.find_map(weight).unwrap_or(1000);
            if weight > best.map_or(0, |(most, _)| most) {
                best = Some((weight, wanted));
            }
        }
        best.map_or(Self::Json, |(_, wanted)| wanted)
    }
}

/// `q=0.25` in thousandths; one that cannot be read counts for nothing.
fn weight(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let value: f64 = value.trim().parse().unwrap_or_default();
    // At most 1000, and never negative.
    Some(if (0.0..=1.0).contains(&value) { (value * 1000.0) as u16 } else { 0 })
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn wanted(values: &[&str]) -> Wanted {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT, HeaderValue::from_str(value).unwrap());
        }
        Wanted::of(&headers)
    }

    #[test]
    fn events_are_for_those_who_name_them() {
        for events in [
            &["text/event-stream"][..],
            &["Text/Event-Stream ; q=0.4"],
            &["text/event-stream, application/json;q=0.9"],
            &["application/json;q=0.2,text/event-stream;q=0.3"],
            &["text/event-stream, application/json"],
            &["text/html", "text/event-stream, */*;q=0.1"],
            &["*/*, text/event-stream"],
            &["application/json;q=0, text/event-stream;charset=utf-8;q=0.001"],
        ] {
            assert_eq!(wanted(events), Wanted::EventStream, "{events:?}");
        }
        for json in [
            &[][..],
            &["*/*"],
            &["text/*"],
            &["text/html"],
            &["application/json, text/event-stream"],
            &["application/json, text/event-stream;q=0.9"],
            &["text/event-stream;q=0"],
            &["text/event-stream;q=2, */*"],
            &["text/event-stream;q=x"],
            &["text/event-streams"],
        ] {
            assert_eq!(wanted(json), Wanted::Json, "{json:?}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_read(value in "[ -~]{0,60}", q in "[0-9.eE+-]{0,6}|nan|inf") {
            wanted(&[&value, &format!("text/event-stream;q={q}")]);
        }
    }
}
