//! What a client may say: one JSON object in a text frame.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::domain::field_error::FieldError;
use crate::domain::ids::ExecutionId;
use crate::domain::run::Input;
use crate::http::extract::shape;
use crate::http::failure::Failure;
use crate::http::rest::executions::input::InputBody;
use crate::http::rest::executions::run_json::RunBody;
use crate::services::Error;

/// Longest name of an execution on a socket, in characters.
const MAX_REF: usize = 64;

/// What a client calls one of its executions.
pub(super) type Ref = String;

/// One frame.
#[derive(Debug)]
pub(super) enum Frame {
    /// Who it is; the first of all frames, where no header has said it.
    Auth { token: String },
    /// Runs code.
    Execute { name: Ref, body: Box<RunBody> },
    /// Writes to the standard input of one of its executions.
    Stdin { name: Ref, input: Input },
    /// Ends one of its executions.
    Cancel { name: Ref },
    /// Is told what happens in an execution.
    Follow { name: Ref, id: ExecutionId, after: u64 },
    /// Asks for an answer.
    Ping,
}

/// A frame that is none, and which execution it was about, if that could be read.
pub(super) type Wrong = (Option<Ref>, Failure);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    token: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Followed {
    execution_id: String,
    after: Option<u64>,
}

/// Reads a frame.
pub(super) fn parse(text: &str) -> Result<Frame, Wrong> {
    let mut fields: Map<String, Value> = shape(text.as_bytes()).map_err(|error| (None, error))?;
    let op = fields.remove("op");
    let name = fields.remove("ref");
    let known = name.as_ref().and_then(Value::as_str).filter(|name| is_name(name));
    let known = known.map(str::to_owned);
    read(op, name, known.clone(), fields).map_err(|error| (known, error))
}

fn read(
    op: Option<Value>,
    given: Option<Value>,
    name: Option<Ref>,
    fields: Map<String, Value>,
) -> Result<Frame, Failure> {
    if given.is_some() && name.is_none() {
        return Err(bad_ref());
    }
    let name = || name.ok_or_else(bad_ref);
    match op.as_ref().and_then(Value::as_str) {
        Some("auth") => {
            let Token { token } = rest(fields)?;
            Ok(Frame::Auth { token })
        }
        Some("execute") => Ok(Frame::Execute { name: name()?, body: Box::new(rest(fields)?) }),
        Some("stdin") => {
            let body: InputBody = rest(fields)?;
            Ok(Frame::Stdin { name: name()?, input: body.parse().map_err(Failure::Invalid)? })
        }
        Some("cancel") => {
            let Nothing {} = rest(fields)?;
            Ok(Frame::Cancel { name: name()? })
        }
        Some("follow") => {
            let Followed { execution_id, after } = rest(fields)?;
            let id = ExecutionId::parse(&execution_id).ok_or(Error::ExecutionNotFound)?;
            Ok(Frame::Follow { name: name()?, id, after: after.unwrap_or_default() })
        }
        Some("ping") => {
            let Nothing {} = rest(fields)?;
            Ok(Frame::Ping)
        }
        _ => {
            let msg = "must be auth, execute, stdin, cancel, follow or ping";
            Err(Failure::Invalid(vec![FieldError::new("op", msg)]))
        }
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().count() <= MAX_REF
}

fn bad_ref() -> Failure {
    let msg = format!("must be a string of 1 to {MAX_REF} characters");
    Failure::Invalid(vec![FieldError::new("ref", msg)])
}

/// What is left of a frame, in the shape of the same thing over HTTP.
fn rest<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, Failure> {
    let text = serde_json::to_vec(&fields);
    shape(&text.map_err(|_| Error::Fault("JSON cannot be written again"))?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_operation_is_read() {
        let follow = r#"{"op":"follow","ref":"a","execution_id":"exe_1","after":3}"#;
        assert!(matches!(parse(follow), Ok(Frame::Follow { after: 3, .. })));
        let execute = r#"{"ref":"a","op":"execute","code":"1","language":"python"}"#;
        assert!(matches!(parse(execute), Ok(Frame::Execute { .. })));
        let stdin = r#"{"op":"stdin","ref":"a","text":"x\n","eof":true}"#;
        let Ok(Frame::Stdin { input, .. }) = parse(stdin) else { panic!("{stdin}") };
        assert_eq!(input, Input { data: b"x\n".to_vec(), end: true });
        assert!(matches!(parse(r#"{"op":"cancel","ref":"a"}"#), Ok(Frame::Cancel { .. })));
        assert!(matches!(parse(r#"{"op":"ping"}"#), Ok(Frame::Ping)));
        assert!(matches!(parse(r#"{"op":"auth","token":"t"}"#), Ok(Frame::Auth { .. })));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_execution() {
        let long = format!(r#"{{"op":"cancel","ref":"{}"}}"#, "x".repeat(MAX_REF + 1));
        for (text, name, field) in [
            (r#"{"op":"cancel"}"#, None, "ref"),
            (r#"{"op":"cancel","ref":""}"#, None, "ref"),
            (r#"{"op":"cancel","ref":7}"#, None, "ref"),
            (&long, None, "ref"),
            (r#"{"op":"stop","ref":"a"}"#, Some("a"), "op"),
            (r#"{"ref":"a"}"#, Some("a"), "op"),
            (r#"{"op":"execute","ref":"a","language":"python"}"#, Some("a"), "code"),
            (r#"{"op":"cancel","ref":"a","more":1}"#, Some("a"), "more"),
        ] {
            let (of, failure) = parse(text).expect_err(text);
            let Failure::Invalid(fields) = failure else { panic!("{text}: {failure}") };
            assert_eq!((of.as_deref(), &*fields[0].loc), (name, field), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(
            text in any::<String>(),
            op in "auth|execute|stdin|cancel|follow|ping|[a-z]{0,4}",
            key in "[a-z_]{0,8}|token|code|text|eof|after|execution_id",
            value in any::<i64>(),
        ) {
            let _ = parse(&text);
            let frame = serde_json::json!({"op": op, "ref": text, key: value});
            let _ = parse(&frame.to_string());
        }
    }
}
