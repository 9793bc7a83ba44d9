//! What does not have the shape that it should: named by its path, and not repeated. A value in the
//! wrong place is still somebody's password, and as long as a body may be.

use std::fmt::Display;

use serde::Deserializer;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use super::field_path;
use crate::domain::field_error::FieldError;
use crate::http::failure::Failure;

/// What `from` holds, in the shape of `T`; `whole` is what it is called when all of it is wrong.
///
/// # Errors
/// [`Failure::Invalid`] with the first field that does not fit.
pub(super) fn named<'de, T, D>(from: D, whole: &str) -> Result<T, Failure>
where
    T: DeserializeOwned,
    D: Deserializer<'de, Error: Display>,
{
    serde_path_to_error::deserialize(from).map_err(|error| {
        let mut path = path_of(error.path());
        let msg = without_values(&error.into_inner().to_string());
        if let Some(field) = missing_field(&msg) {
            field_path::push_key(&mut path, field);
        }
        let loc = if path.is_empty() { whole.to_owned() } else { path };
        Failure::Invalid(vec![FieldError::new(loc, msg)])
    })
}

fn path_of(path: &serde_path_to_error::Path) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => field_path::push_index(&mut text, *index),
            Segment::Map { key } => field_path::push_key(&mut text, key),
            Segment::Enum { variant } => field_path::push_key(&mut text, variant),
            Segment::Unknown => field_path::push_key(&mut text, "?"),
        }
    }
    text
}

/// The field that `msg` says is not there, which has a place all the same.
fn missing_field(msg: &str) -> Option<&str> {
    msg.strip_prefix("missing field `")?.strip_suffix('`')
}

/// serde says ``invalid type: string "hunter2", expected a boolean at line 1 column 9``. What was there is
/// not told again, and where it is stands in the path.
fn without_values(message: &str) -> String {
    let Some((found, expected)) = message.rsplit_once(", expected ") else {
        // Our own words, or a field of ours that is missing or stands twice.
        return message.split(" at line ").next().unwrap_or(message).to_owned();
    };
    let kind = found.split(['"', '`']).next().unwrap_or(found).trim_end();
    let expected = expected.split(" at line ").next().unwrap_or(expected);
    let expected = match expected {
        "f32" | "f64" => "a number",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, not negative and not so large",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number, not so large",
        other => other,
    };
    format!("{kind}, expected {expected}")
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::named;
    use crate::http::failure::Failure;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only their shapes matter")]
    struct Shape {
        flag: bool,
        #[serde(default)]
        count: u8,
    }

    fn told(json: &str) -> (String, String) {
        let result: Result<Shape, _> = named(&mut serde_json::Deserializer::from_str(json), "body");
        let Err(Failure::Invalid(fields)) = result else { panic!("{result:?}") };
        (fields[0].loc.clone(), fields[0].msg.clone())
    }

    #[test]
    fn a_value_in_the_wrong_place_is_not_repeated() {
        let cases = [
            (r#"{"flag": "hunter2"}"#, "flag", "invalid type: string, expected a boolean"),
            (r#"{"flag": "a, expected b"}"#, "flag", "invalid type: string, expected a boolean"),
            (r#"{"flag": 31337}"#, "flag", "invalid type: integer, expected a boolean"),
            (
                r#"{"flag": true, "count": 31337}"#,
                "count",
                "invalid value: integer, expected a whole number, not negative and not so large",
            ),
            (r#"{"hunter2": 1}"#, "hunter2", "unknown field, expected `flag` or `count`"),
            ("{}", "flag", "missing field `flag`"),
        ];
        for (json, loc, msg) in cases {
            assert_eq!(told(json), (loc.to_owned(), msg.to_owned()), "{json}");
        }
    }
}
