//! The schemas and parameters that rows of the route table name.

use std::collections::BTreeMap;

use utoipa::ToSchema;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr, Required};

use crate::domain::event::OutputStream;
use crate::domain::files::{MAX_PATH, TAGS_PATTERN};
use crate::domain::idempotency::MAX_KEY;

/// The schemas of the document, by name.
#[derive(Default)]
pub(super) struct Schemas(pub(super) BTreeMap<String, RefOr<Schema>>);

impl Schemas {
    fn add<T: ToSchema>(&mut self, name: String) -> Ref {
        let mut inside = Vec::new();
        T::schemas(&mut inside);
        self.0.extend(inside);
        let reference = Ref::from_schema_name(&name);
        self.0.insert(name, T::schema());
        reference
    }
}

/// The schema of `T`, under its own name.
pub(super) fn schema<T: ToSchema>(schemas: &mut Schemas) -> Ref {
    schemas.add::<T>(T::name().into_owned())
}

/// The schema of `T` as the fields of a form: `TokenForm` of `TokenBody`.
pub(super) fn form<T: ToSchema>(schemas: &mut Schemas) -> Ref {
    let name = T::name();
    schemas.add::<T>(format!("{}Form", name.strip_suffix("Body").unwrap_or(&name)))
}

/// A string that is one of `words`.
pub(super) fn one_of(words: impl IntoIterator<Item = &'static str>) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words))
}

/// `X-Request-Id`, which every operation takes.
pub(super) fn request_id() -> Parameter {
    let about = "The id of the request in logs and in the answer: up to 64 of `A-Z a-z 0-9 - _ .`; \
         anything else is replaced by one of ours.";
    header("X-Request-Id", about, text().build())
}

/// `Idempotency-Key`.
pub(super) fn idempotency_key() -> Vec<Parameter> {
    let text = text().min_length(Some(1)).max_length(Some(MAX_KEY)).pattern(Some("^[!-~]+$"));
    let about = "Makes it safe to repeat the request: it is carried out once.";
    vec![header("Idempotency-Key", about, text.build())]
}

/// `Prefer`.
pub(super) fn prefer() -> Vec<Parameter> {
    let about = "`respond-async`: the same as `detached`.";
    vec![header("Prefer", about, text().build())]
}

/// `Last-Event-ID`.
pub(super) fn last_event_id() -> Vec<Parameter> {
    let number = ObjectBuilder::new().schema_type(Type::Integer);
    let number = number.minimum(Some(0_usize)).maximum(Some(usize::MAX));
    let about = "The number of the last event that you have; it counts more than `after`.";
    vec![header("Last-Event-ID", about, number.build())]
}

/// `Range`.
pub(super) fn range() -> Vec<Parameter> {
    let about =
        "One range of bytes: `bytes=0-99`, `bytes=100-` or `bytes=-100`. Any other is ignored.";
    vec![header("Range", about, text().build())]
}

/// `If-Range`.
pub(super) fn range_of_version() -> Vec<Parameter> {
    let about = "The range is wanted of this version, and all of any other.";
    vec![header("If-Range", about, text().build())]
}

/// `If-Match` and `If-None-Match`.
pub(super) fn conditions() -> Vec<Parameter> {
    let tags = || text().pattern(Some(TAGS_PATTERN)).build();
    vec![
        header("If-Match", "It has to be one of these versions; `*` is any.", tags()),
        header("If-None-Match", "It must be none of these versions; `*` is any.", tags()),
    ]
}

/// `path`, of a directory.
pub(super) fn directory() -> Vec<Parameter> {
    let about = "A directory, relative to the workspace; the workspace itself when left out.";
    vec![query(
        "path",
        about,
        text().max_length(Some(MAX_PATH)).pattern(Some("^($|[^/\\u0000][^\\u0000]*$)")),
    )]
}

/// A parameter that is true or false.
pub(super) fn flag(name: &str, about: &str, default: bool) -> Parameter {
    let schema = ObjectBuilder::new().schema_type(Type::Boolean);
    query(name, about, schema.default(Some(default.into())))
}

/// A whole number from 1 on: which when it is left out, and the most.
pub(super) fn number(name: &str, about: &str, (default, most): (u32, u32)) -> Parameter {
    let schema = ObjectBuilder::new().schema_type(Type::Integer);
    let schema = schema.minimum(Some(1)).maximum(Some(most)).default(Some(default.into()));
    query(name, about, schema)
}

fn query(name: &str, about: &str, schema: ObjectBuilder) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(schema.build()))
        .build()
}

fn header(name: &str, about: &str, schema: Object) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(schema))
        .build()
}

/// An id that begins with `prefix`.
pub(super) fn id_of(prefix: &str) -> Object {
    text().pattern(Some(format!("^{prefix}_[A-Za-z0-9]{{1,64}}$"))).build()
}

/// A parameter of the path, by its name.
pub(super) fn in_path(name: &str) -> Parameter {
    let schema = match name {
        "pid" => text().pattern(Some("^[0-9]{1,9}$")),
        "stream" => one_of([OutputStream::Stdout.name(), OutputStream::Stderr.name()]),
        "path" => text()
            .min_length(Some(1))
            .max_length(Some(MAX_PATH))
            .pattern(Some("^[^/\\u0000][^\\u0000]*$")),
        _ => text().min_length(Some(1)),
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(match name {
            "pid" => "Which process; its number stands in the answer that told of it.",
            "id" => "Which one; its id stands in the answer that told of it.",
            "path" => "Relative to the workspace, percent-encoded; a slash may be encoded or not.",
            "context_id" => "Which context; the session lists its contexts.",
            _ => "Which stream.",
        }))
        .schema(Some(schema))
        .build()
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}
