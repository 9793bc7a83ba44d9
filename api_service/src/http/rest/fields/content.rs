//! Bytes in JSON: text as it is, anything else as base64.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// The standard alphabet, with padding; the bits that the padding leaves over are 0.
pub const BASE64: &str =
    "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$";

/// Text, or `{"base64": "…"}`.
#[derive(Debug)]
pub enum Content {
    /// As it is.
    Text(String),
    /// Still encoded.
    Base64(String),
}

impl Content {
    /// The bytes.
    ///
    /// # Errors
    /// When it is not base64.
    pub fn into_bytes(self) -> Result<Vec<u8>, &'static str> {
        match self {
            Self::Text(text) => Ok(text.into_bytes()),
            Self::Base64(text) => STANDARD
                .decode(text)
                .map_err(|_| "must be base64 of the standard alphabet, with padding"),
        }
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or {\"base64\": \"…\"}")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Content, E> {
        Ok(Content::Text(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Content, E> {
        Ok(Content::Text(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Content, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<String>()? {
            if key != "base64" {
                return Err(A::Error::unknown_field(&key, &["base64"]));
            }
            found = Some(Content::Base64(map.next_value()?));
        }
        found.ok_or_else(|| A::Error::missing_field("base64"))
    }
}

impl PartialSchema for Content {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String).description(Some("text"));
        let base64 = ObjectBuilder::new()
            .schema_type(Type::Object)
            .property(
                "base64",
                ObjectBuilder::new().schema_type(Type::String).pattern(Some(BASE64)),
            )
            .required("base64")
            .additional_properties(Some(AdditionalProperties::FreeForm(false)));
        RefOr::T(Schema::OneOf(OneOfBuilder::new().item(text).item(base64).build()))
    }
}

impl ToSchema for Content {}
