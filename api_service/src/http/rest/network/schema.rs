//! Schemas of what a policy is made of.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, Array, ArrayBuilder, Object, ObjectBuilder, Schema, SchemaType, Type,
};

use crate::domain::network::{MAX_HOSTS, MAX_METHODS};

/// Some of what the worker takes for a host: the rest is what no pattern describes.
const HOST: &str = r"^(\*|(\*\.)?[a-z]{1,20}[0-9]{0,3}(\.[a-z]{1,20}){0,4}(:[1-9][0-9]{0,3})?)$";
const METHOD: &str = "^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$";

fn nullable(kind: Type) -> SchemaType {
    SchemaType::from_iter([kind, Type::Null])
}

fn text(pattern: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern))
}

/// Of `mode`.
pub(super) fn mode_schema() -> Object {
    let words = [Some("none"), Some("allow"), None].map(|word| word.map(str::to_owned));
    ObjectBuilder::new()
        .schema_type(nullable(Type::String))
        .description(Some(
            "`none`: nothing, whatever the lists say; `allow`, as without it: what `allow` lists.",
        ))
        .enum_values(Some(words))
        .build()
}

/// Of `allow` and `deny`.
pub(super) fn hosts_schema() -> Array {
    ArrayBuilder::new()
        .schema_type(nullable(Type::Array))
        .description(Some(
            "Hosts: `example.com`, `*.example.com` (what is below it, and not it), `example.com:8443` (without a \
             port, 443 and 80 are meant), or `*`. Also an address, and a name in any script, which no pattern \
             describes.",
        ))
        .items(text(HOST))
        .max_items(Some(MAX_HOSTS))
        .build()
}

/// Of `methods`.
pub(super) fn methods_schema() -> Object {
    let list = ArrayBuilder::new()
        .items(text(METHOD))
        .min_items(Some(1))
        .max_items(Some(MAX_METHODS))
        .build();
    ObjectBuilder::new()
        .schema_type(nullable(Type::Object))
        .description(Some(
            "Hosts that only plain requests (`http://`) with these methods go to: what goes through a tunnel \
             cannot be seen.",
        ))
        .property_names(Some(text(HOST)))
        .additional_properties(Some(AdditionalProperties::RefOr(RefOr::T(Schema::Array(list)))))
        .max_properties(Some(MAX_METHODS))
        .build()
}

/// Of `secrets`.
pub(super) fn secrets_schema() -> Array {
    ArrayBuilder::new()
        .schema_type(nullable(Type::Array))
        .description(Some("Must be empty: this version puts no secrets into requests."))
        .max_items(Some(0))
        .build()
}
