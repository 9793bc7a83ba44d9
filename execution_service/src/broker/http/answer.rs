//! What the broker itself answers.

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};

use crate::broker::dial::NoConnection;
use crate::network::{Destination, Rule};

/// Of the outside, or the broker's own.
pub type Answer = Response<Either<Incoming, Full<Bytes>>>;

/// Says that there is a name for what stopped the request, for programs.
const REASON: &str = "x-crucible-network";

/// Without a body.
pub fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Either::Right(Full::default()));
    *answer.status_mut() = status;
    answer
}

/// The request cannot be understood.
pub fn bad_request(what: &str) -> Answer {
    told(
        StatusCode::BAD_REQUEST,
        "bad_request",
        "Bad Request",
        format!("This is a proxy: {what}.\n"),
    )
}

/// A rule forbids it. Of a tunnel that is refused, most clients show no more than the first line.
pub fn refused(destination: &Destination, rule: &Rule) -> Answer {
    let first = format!("Forbidden by network policy: {destination} ({})", rule.name());
    let text = format!(
        "The network policy refuses {destination}: {rule}. This can be changed by {}.\n",
        rule.changed_by()
    );
    told(StatusCode::FORBIDDEN, rule.name(), &first, text)
}

/// It is allowed, and there is no connection.
pub fn no_connection(destination: &Destination, why: &NoConnection) -> Answer {
    let (status, word) = match why {
        NoConnection::Refused(rule) => return refused(destination, rule),
        NoConnection::NoName => (StatusCode::BAD_GATEWAY, "no_such_name"),
        NoConnection::Silent => (StatusCode::GATEWAY_TIMEOUT, "no_answer"),
        NoConnection::Failed(_) => (StatusCode::BAD_GATEWAY, "not_connected"),
    };
    let first = format!("No connection to {destination} ({word})");
    told(status, word, &first, format!("There is no connection to {destination}: {why}.\n"))
}

/// The outside has ended the connection, or spoken nonsense.
pub fn broken(destination: &Destination) -> Answer {
    let text = format!("{destination} has ended the connection without an answer.\n");
    told(StatusCode::BAD_GATEWAY, "no_response", "Bad Gateway", text)
}

fn told(status: StatusCode, word: &'static str, first: &str, text: String) -> Answer {
    let mut answer = Response::new(Either::Right(Full::from(text)));
    *answer.status_mut() = status;
    if let Ok(first) = ReasonPhrase::try_from(first.as_bytes().to_vec()) {
        answer.extensions_mut().insert(first);
    }
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, plain);
    answer.headers_mut().insert(REASON, HeaderValue::from_static(word));
    answer
}
