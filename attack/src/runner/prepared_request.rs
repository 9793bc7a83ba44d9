//! From an entry's words to a request on the wire.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http_body_util::Either;
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName};
use hyper::http::HeaderValue;
use hyper::{Method, Request, Uri};
use serde_json::{Value, json};

use super::fixtures::Fixtures;
use crate::corpus::{Actor, Body, RequestTemplate};
use crate::http::{Content, HttpError, Response, Unfinished, full};

/// Bytes of each of the headers that are sent on top.
const PADDING: usize = 100;

/// A request that can be sent many times.
#[derive(Clone)]
pub(super) struct PreparedRequest {
    client: crate::http::Client,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
    limit: Duration,
    hang_up: Option<Duration>,
}

/// Why an entry cannot be sent.
pub(super) enum Unsendable {
    /// It refers to something that is not here.
    NoFixture(String),
    /// It cannot be put into HTTP.
    InvalidRequest(HttpError),
}

impl<E: Into<hyper::http::Error>> From<E> for Unsendable {
    fn from(error: E) -> Self {
        Self::InvalidRequest(HttpError::InvalidRequest(error.into()))
    }
}

impl Fixtures {
    /// Puts an entry together, for a route of its own or for `route`.
    pub(super) fn prepare(
        &self,
        template: &RequestTemplate,
        route: Option<&(String, String)>,
    ) -> Result<PreparedRequest, Unsendable> {
        let (method, path) = match route {
            Some((method, path)) => (method.as_str(), any_id(path)),
            None => (template.method.as_str(), self.filled_in(&template.path)?),
        };
        let mut headers = HeaderMap::new();
        if let Some(token) = self.token(template.actor)? {
            headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}"))?);
        }
        let body = match &template.body {
            Body::Empty => Some(Vec::new()),
            Body::Json(value) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                Some(self.filled_in(&value.to_string())?.into_bytes())
            }
            Body::Bytes(bytes) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                Some(bytes.clone())
            }
            Body::Unfinished { declared } => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                headers.insert(CONTENT_LENGTH, HeaderValue::from(*declared));
                None
            }
        };
        for (name, value) in &template.headers {
            let name = HeaderName::from_bytes(name.as_bytes())?;
            if value.is_empty() {
                headers.remove(&name);
            } else {
                headers.insert(name, HeaderValue::from_bytes(value.as_bytes())?);
            }
        }
        for number in 0..template.more_headers {
            let name = HeaderName::from_bytes(format!("x-flood-{number}").as_bytes())?;
            headers.insert(name, HeaderValue::from_str(&"f".repeat(PADDING))?);
        }
        Ok(PreparedRequest {
            client: self.client.clone(),
            method: Method::from_bytes(method.as_bytes())?,
            uri: path.parse::<Uri>()?,
            headers,
            body,
            limit: Duration::from_secs_f64(template.within * self.patience),
            hang_up: template.hang_up_ms.map(Duration::from_millis),
        })
    }

    /// With what the placeholders stand for.
    fn filled_in(&self, text: &str) -> Result<String, Unsendable> {
        let mut text = String::from(text);
        for name in [
            "own_session",
            "own_execution",
            "own_key",
            "foreign_session",
            "foreign_execution",
            "foreign_key",
        ] {
            let placeholder = format!("{{{name}}}");
            if text.contains(&placeholder) {
                let value = self.placeholders.get(name);
                let value = value.ok_or_else(|| Unsendable::NoFixture(name.replace('_', " ")))?;
                text = text.replace(&placeholder, value);
            }
        }
        Ok(text)
    }

    fn token(&self, actor: Actor) -> Result<Option<String>, Unsendable> {
        let user = self.accounts.user.as_str();
        let lacking = |what| Unsendable::NoFixture(String::from(what));
        Ok(Some(match actor {
            Actor::Anonymous => return Ok(None),
            Actor::User => String::from(user),
            Actor::Other => self.accounts.other.clone().ok_or_else(|| lacking("second user"))?,
            Actor::Unsigned => {
                let (_, claims, _) = parts(user).ok_or_else(|| lacking("access token"))?;
                let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
                format!("{header}.{claims}.")
            }
            Actor::Promoted => {
                let (header, claims, signature) =
                    parts(user).ok_or_else(|| lacking("access token"))?;
                let claims = promoted(claims).ok_or_else(|| lacking("access token"))?;
                format!("{header}.{claims}.{signature}")
            }
        }))
    }
}

/// Of a JWT; an API key has none.
fn parts(token: &str) -> Option<(&str, &str, &str)> {
    let mut parts = token.split('.');
    let found = (parts.next()?, parts.next()?, parts.next()?);
    parts.next().is_none().then_some(found)
}

fn promoted(claims: &str) -> Option<String> {
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    claims["admin"] = json!(true);
    Some(URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// Nobody asks for more than who one is before that is known.
fn any_id(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "any" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

impl PreparedRequest {
    /// Sends it once; `None` when that meant to hang up before the answer.
    pub(super) async fn send(&self) -> Option<Result<Response, HttpError>> {
        let content: Content = match &self.body {
            Some(bytes) => full(bytes.clone()),
            None => Either::Right(Unfinished),
        };
        let mut request = Request::new(content);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        let call = self.client.send(request, self.limit);
        match self.hang_up {
            None => Some(call.await),
            Some(after) => tokio::time::timeout(after, call).await.ok(),
        }
    }

    /// Deletes what an answer says has been made.
    pub(super) async fn undo(&self, reply: &Response) {
        let made = ["session_id", "id"].iter().find_map(|name| reply.json[*name].as_str());
        if let (201, Some(id)) = (reply.status, made) {
            let mut deletion = Request::new(full(Vec::new()));
            *deletion.method_mut() = Method::DELETE;
            if let Ok(uri) = format!("{}/{id}", self.uri.path()).parse() {
                *deletion.uri_mut() = uri;
                if let Some(token) = self.headers.get(AUTHORIZATION) {
                    deletion.headers_mut().insert(AUTHORIZATION, token.clone());
                }
                // What stays is found when the counts are compared.
                let _ = self.client.send(deletion, self.limit).await;
            }
        }
    }
}
