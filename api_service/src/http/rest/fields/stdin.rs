//! Standard input of a run in JSON: what it reads, and whether more comes.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::content::{BASE64, Content};

/// Text, `{"base64": "…"}`, or either in an object with `"open": true` where more comes.
#[derive(Debug)]
pub struct StdinBody {
    /// What is known at the start.
    pub content: Option<Content>,
    /// Whether it stays open.
    pub open: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    text: Option<String>,
    base64: Option<String>,
    open: Option<bool>,
}

impl<'de> Deserialize<'de> for StdinBody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StdinVisitor)
    }
}

struct StdinVisitor;

impl<'de> Visitor<'de> for StdinVisitor {
    type Value = StdinBody;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, {\"base64\": \"…\"} or {\"open\": true}")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<StdinBody, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<StdinBody, E> {
        Ok(StdinBody { content: Some(Content::Text(text)), open: false })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<StdinBody, A::Error> {
        let Fields { text, base64, open } = Fields::deserialize(MapAccessDeserializer::new(map))?;
        let content = match (text, base64) {
            (Some(_), Some(_)) => {
                return Err(A::Error::custom("has either text or base64, not both"));
            }
            (Some(_), None) if open.is_none() => {
                return Err(A::Error::custom("has open beside text; text alone is a string"));
            }
            (Some(text), None) => Some(Content::Text(text)),
            (None, Some(base64)) => Some(Content::Base64(base64)),
            (None, None) if open.is_none() => return Err(A::Error::missing_field("open")),
            (None, None) => None,
        };
        Ok(StdinBody { content, open: open.unwrap_or_default() })
    }
}

impl PartialSchema for StdinBody {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let base64 = || text().pattern(Some(BASE64));
        let object = || {
            ObjectBuilder::new()
                .schema_type(Type::Object)
                .additional_properties(Some(AdditionalProperties::FreeForm(false)))
        };
        let open = || {
            ObjectBuilder::new()
                .schema_type(Type::Boolean)
                .description(Some("True: more comes while it runs, and the program waits for it."))
        };
        let in_full = object().property("base64", base64()).required("base64");
        let with_text = object().property("open", open()).required("open").property("text", text());
        let with_base64 = object()
            .property("open", open())
            .required("open")
            .property("base64", base64())
            .required("base64");
        let all = OneOfBuilder::new().item(text()).item(in_full);
        RefOr::T(Schema::OneOf(all.item(with_text).item(with_base64).build()))
    }
}

impl ToSchema for StdinBody {}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<(Option<Vec<u8>>, bool)> {
        let body: StdinBody = serde_json::from_str(json).ok()?;
        Some((body.content.map(|content| content.into_bytes().unwrap()), body.open))
    }

    #[test]
    fn it_is_text_or_bytes_and_may_stay_open() {
        let hi = || Some(b"hi".to_vec());
        for (json, expected) in [
            (r#""hi""#, (hi(), false)),
            (r#"{"base64": "aGk="}"#, (hi(), false)),
            (r#"{"open": true}"#, (None, true)),
            (r#"{"open": false}"#, (None, false)),
            (r#"{"open": true, "text": "hi"}"#, (hi(), true)),
            (r#"{"base64": "aGk=", "open": true}"#, (hi(), true)),
        ] {
            assert_eq!(read(json), Some(expected), "{json}");
        }
        for wrong in [
            "{}",
            "1",
            r#"{"text": "hi"}"#,
            r#"{"open": 1}"#,
            r#"{"open": true, "more": 1}"#,
            r#"{"open": true, "text": "a", "base64": "aGk="}"#,
        ] {
            assert!(read(wrong).is_none(), "{wrong}");
        }
    }
}
