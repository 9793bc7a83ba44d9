//! What runs and sessions have in common: languages, environments, strings with bounds.

use std::collections::BTreeMap;

use utoipa::openapi::schema::{Array, ArrayBuilder, Object, ObjectBuilder, SchemaType, Type};

use crate::domain::field_error::FieldErrors;
use crate::domain::language::{LanguageName, Offer};
use crate::domain::run::{
    MAX_ARGS, MAX_COMPILER_FLAG, MAX_COMPILER_FLAGS, MAX_ENV, MAX_ENV_NAME, MAX_STRING,
};
use crate::http::extract::field_path;

/// A language that may be asked for, by name or alias. While no worker has said what it has, any name
/// passes: whoever looks for a worker will know.
pub(in crate::http::rest) fn language(
    text: &str,
    offer: Option<&Offer>,
    errors: &mut FieldErrors,
) -> Option<LanguageName> {
    let name = LanguageName::parse(text);
    let refusal = || offer.map_or_else(|| LanguageName::RULE.to_owned(), Offer::refusal);
    let known = name.filter(|name| offer.is_none_or(|offer| offer.knows(name)));
    errors.keep("language", known.ok_or_else(refusal))
}

/// Environment variables whose names a shell would accept.
pub(in crate::http::rest) fn environment(
    env: BTreeMap<String, String>,
    errors: &mut FieldErrors,
) -> BTreeMap<String, String> {
    if env.len() > MAX_ENV {
        errors.push("env", format!("must have at most {MAX_ENV} variables"));
        return BTreeMap::new();
    }
    for (name, value) in &env {
        let loc = field_path::of_key("env", name);
        if !is_variable_name(name) {
            errors.push(
                loc.as_str(),
                "its name must be letters, digits and '_', not begin with a digit, \
                 and have at most 255 bytes",
            );
        }
        bounded(&loc, value, errors);
    }
    env
}

/// The schema of an environment.
pub(in crate::http::rest) fn environment_schema() -> Object {
    let value = string_schema();
    let name = ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some("^[A-Za-z_][A-Za-z0-9_]*$"))
        .max_length(Some(MAX_ENV_NAME))
        .build();
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Object, Type::Null]))
        .description(Some(
            "Environment variables. In a session they stay set for later runs of that language.",
        ))
        .property_names(Some(name))
        .additional_properties(Some(value))
        .max_properties(Some(MAX_ENV))
        .build()
}

/// Of `args`.
pub(in crate::http::rest) fn args_schema() -> Array {
    ArrayBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Array, Type::Null]))
        .description(Some("Arguments of the program."))
        .items(string_schema())
        .max_items(Some(MAX_ARGS))
        .build()
}

/// Of `compiler_flags`.
pub(in crate::http::rest) fn compiler_flags_schema() -> Array {
    ArrayBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Array, Type::Null]))
        .description(Some(
            "For compiled languages; `/v1/languages` lists those that each accepts. Sources among `files` \
             are compiled along; one that is in the session already may be named here.",
        ))
        .items(string_schema().min_length(Some(1)).max_length(Some(MAX_COMPILER_FLAG)))
        .max_items(Some(MAX_COMPILER_FLAGS))
        .build()
}

/// What [`bounded`] takes, in characters of one byte.
fn string_schema() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some("^[^\\u0000]*$"))
        .max_length(Some(MAX_STRING - 1))
}

/// A string that the kernel can hand to a program.
pub(in crate::http::rest) fn bounded(loc: &str, text: &str, errors: &mut FieldErrors) {
    if text.contains('\0') {
        errors.push(loc, "must not contain a NUL character");
    }
    if text.len() >= MAX_STRING {
        errors.push(loc, format!("must have fewer than {MAX_STRING} bytes"));
    }
}

fn is_variable_name(name: &str) -> bool {
    let sane = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let digit_first = name.as_bytes().first().is_none_or(u8::is_ascii_digit);
    !digit_first && name.len() <= MAX_ENV_NAME && name.bytes().all(sane)
}
