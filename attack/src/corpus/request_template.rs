//! One request of a [`super::Request`], and how it has to be answered.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Seconds in which a request has to be answered that runs nothing, or something harmless.
const PROMPT: f64 = 10.0;

/// What is sent, and how it is answered.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "EntryFields")]
pub struct RequestTemplate {
    /// Who sends it.
    pub actor: Actor,
    /// HTTP's.
    pub method: String,
    /// With placeholders such as `{foreign_session}`; `*` for every route that asks for a
    /// credential, as the service itself lists them.
    pub path: String,
    /// Headers beside the usual ones, or instead of them.
    pub headers: BTreeMap<String, String>,
    /// How many headers of 100 bytes there are on top.
    pub more_headers: usize,
    /// What follows the headers.
    pub body: Body,
    /// Hangs up after so many milliseconds instead of waiting for the answer.
    pub hang_up_ms: Option<u64>,
    /// Seconds until there has to be an answer.
    pub within: f64,
    /// How it has to be answered.
    pub expected: Expected,
}

/// Who sends a request.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Actor {
    /// Nobody in particular.
    Anonymous,
    /// The attacker, who is an ordinary user.
    #[default]
    User,
    /// Another ordinary user.
    Other,
    /// The attacker, whose access token says `alg: none` and has no signature.
    Unsigned,
    /// The attacker, whose access token says `admin` under the old signature.
    Promoted,
}

/// What follows the headers.
#[derive(Clone, Debug)]
pub enum Body {
    /// Nothing.
    Empty,
    /// JSON, with placeholders in its strings.
    Json(Value),
    /// These bytes.
    Bytes(Vec<u8>),
    /// A length is declared that the bytes, which stop coming, do not have.
    Unfinished {
        /// What is said of it.
        declared: u64,
    },
}

/// How a request has to be answered. 5xx is wrong in any case, and so is an error that is no
/// problem document.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// HTTP statuses that are right.
    pub statuses: Vec<u16>,
    /// The field that the first error names.
    pub names: Option<String>,
    /// The code of the problem.
    pub code: Option<String>,
    /// Statuses of the run that are right.
    pub ends: Vec<String>,
    /// Parts that the run's standard output has.
    pub prints: Vec<String>,
    /// Parts that nothing which comes back has.
    pub hides: Vec<String>,
    /// The server may refuse it before any of our code sees it, without a problem document.
    pub unread: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryFields {
    #[serde(default)]
    caller: Actor,
    method: Option<String>,
    path: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    more_headers: usize,
    run: Option<Map<String, Value>>,
    json: Option<Value>,
    pieces: Option<Vec<Piece>>,
    declared_length: Option<u64>,
    hang_up_ms: Option<u64>,
    within: Option<f64>,
    expect: Vec<u16>,
    names: Option<String>,
    code: Option<String>,
    #[serde(default)]
    ends: Vec<String>,
    #[serde(default)]
    prints: Vec<String>,
    #[serde(default)]
    hides: Vec<String>,
    #[serde(default)]
    unread: bool,
}

/// A part of a body that would be too long, or is no text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Piece {
    text: Option<String>,
    base64: Option<String>,
    times: Option<usize>,
    /// Numbers it: `#` in the text becomes 0, 1, 2 and so on.
    #[serde(default)]
    numbered: bool,
}

impl TryFrom<EntryFields> for RequestTemplate {
    type Error = String;

    fn try_from(written: EntryFields) -> Result<Self, String> {
        let body = match (written.run, written.json, written.pieces, written.declared_length) {
            (None, None, None, None) => Body::Empty,
            (Some(run), None, None, None) => Body::Json(laid_over_a_harmless_run(run)),
            (None, Some(json), None, None) => Body::Json(json),
            (None, None, Some(pieces), None) => Body::Bytes(joined(pieces)?),
            (None, None, None, Some(declared)) => Body::Unfinished { declared },
            _ => return Err("has more than one of run, json, pieces, declared_length".into()),
        };
        if written.expect.is_empty() && written.hang_up_ms.is_none() {
            return Err("expect must have a status".into());
        }
        Ok(Self {
            actor: written.caller,
            method: written.method.unwrap_or_else(|| String::from("POST")),
            path: written.path.unwrap_or_else(|| String::from("/v1/code_interpreter/run")),
            headers: written.headers,
            more_headers: written.more_headers,
            body,
            hang_up_ms: written.hang_up_ms,
            within: written.within.unwrap_or(PROMPT),
            expected: Expected {
                statuses: written.expect,
                names: written.names,
                code: written.code,
                ends: written.ends,
                prints: written.prints,
                hides: written.hides,
                unread: written.unread,
            },
        })
    }
}

/// So that an entry says only what is wrong with it.
fn laid_over_a_harmless_run(fields: Map<String, Value>) -> Value {
    let mut run = json!({"language": "bash", "code": "echo fine", "timeout": 5});
    for (name, value) in fields {
        run[name] = value;
    }
    run
}

fn joined(pieces: Vec<Piece>) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    for Piece { text, base64, times, numbered } in pieces {
        let bytes = match (&text, base64) {
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(base64)) => STANDARD.decode(base64).map_err(|error| error.to_string())?,
            _ => return Err("a piece has either text or base64".into()),
        };
        for number in 0..times.unwrap_or(1) {
            match &text {
                Some(text) if numbered => {
                    body.extend(text.replace('#', &number.to_string()).into_bytes());
                }
                _ => body.extend_from_slice(&bytes),
            }
        }
    }
    Ok(body)
}
