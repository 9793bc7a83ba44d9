//! One row as an operation of the document.

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, OperationBuilder, Parameter};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat, Type,
};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Content as Typed, Required, Response, ResponseBuilder};

use super::{API_KEY, BEARER, PASSWORD, problems};
use crate::domain::scope::Access;
use crate::http::rest::endpoint::{Answer, Content, Endpoint, Takes};
use crate::http::rest::files::MAX_PARTS;
use crate::http::rest::schemas::{Schemas, in_path, request_id};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const EVENTS: &str = "text/event-stream";
const BYTES: &str = "application/octet-stream";
const PARTS: &str = "multipart/form-data";

/// What the document says about `row`.
pub(super) fn of(row: &Endpoint, schemas: &mut Schemas) -> Operation {
    let mut operation = OperationBuilder::new()
        .operation_id(Some(row.id))
        .tag(row.tag.name())
        .summary(Some(row.summary));
    if let Some(description) = description(row) {
        operation = operation.description(Some(description));
    }
    for parameter in parameters(row) {
        operation = operation.parameter(parameter);
    }
    let types = match row.takes {
        Takes::Nothing => Vec::new(),
        Takes::Json(json) => vec![(JSON, Typed::new(Some(json(schemas))))],
        Takes::FormOrJson { form, json } => {
            let types = [(FORM, form), (JSON, json)];
            types.map(|(name, schema)| (name, Typed::new(Some(schema(schemas))))).into()
        }
        Takes::Bytes => vec![(BYTES, bytes())],
        Takes::Archive => vec![(BYTES, bytes())],
        Takes::Form => vec![(PARTS, files())],
    };
    if !types.is_empty() {
        let mut body = RequestBodyBuilder::new().required(Some(Required::True));
        for (media_type, content) in types {
            body = body.content(media_type, content);
        }
        operation = operation.request_body(Some(body.build()));
    }
    for answer in &row.gives {
        operation = operation.response(answer.status.as_str(), response(row, answer, schemas));
    }
    for (status, response) in problems::of(row) {
        operation = operation.response(status.as_str(), response);
    }
    if row.access != Access::Public {
        for scheme in [BEARER, API_KEY, PASSWORD] {
            let none: [&str; 0] = [];
            operation = operation.security(SecurityRequirement::new(scheme, none));
        }
    }
    operation.build()
}

/// Server-sent events are a text to the document.
/// One event of a stream; its data is JSON.
fn events() -> Typed {
    let field = || ObjectBuilder::new().schema_type(Type::String);
    let event = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("One of the server-sent events; `data` is JSON."))
        .property("id", field())
        .property("event", field())
        .property("data", field())
        .required("event")
        .required("data");
    Typed::new(Some(event))
}

fn description(row: &Endpoint) -> Option<String> {
    let needs = match row.access {
        Access::Public => String::new(),
        Access::SignedIn => "Needs a credential.".to_owned(),
        Access::Needs(scope) => format!("Needs the scope `{scope}`."),
    };
    let text = [row.description, &needs].map(str::trim).join(" ");
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn parameters(row: &Endpoint) -> Vec<Parameter> {
    let names = row.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = names.map(in_path);
    let others = row.parameters.iter().flat_map(|parameters| parameters());
    in_path.chain(others).chain([request_id()]).collect()
}

fn response(row: &Endpoint, answer: &Answer, schemas: &mut Schemas) -> Response {
    let mut response = ResponseBuilder::new().description(answer.description);
    match answer.content {
        Content::Nothing => {}
        Content::Json(schema) => {
            response = response.content(JSON, Typed::new(Some(schema(schemas))));
        }
        Content::Events => response = response.content(EVENTS, events()),
        Content::JsonOrEvents(schema) => {
            let json = Typed::new(Some(schema(schemas)));
            response = response.content(JSON, json).content(EVENTS, events());
        }
        Content::AnyJson => {
            let any = ObjectBuilder::new().schema_type(Type::Object);
            let any = any.additional_properties(Some(AdditionalProperties::FreeForm(true)));
            response = response.content(JSON, Typed::new(Some(any)));
        }
        Content::File => {
            let tag = HeaderBuilder::new()
                .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
                .description(Some("The version, for If-Match and If-None-Match."))
                .build();
            response = response.content(BYTES, bytes()).header("ETag", tag);
        }
        Content::Archive => response = response.content(BYTES, bytes()),
        Content::Output => {
            let complete = HeaderBuilder::new()
                .schema(Some(ObjectBuilder::new().schema_type(Type::Boolean)))
                .description(Some("False: only the beginning is kept."))
                .build();
            let total = HeaderBuilder::new()
                .schema(Some(ObjectBuilder::new().schema_type(Type::Integer)))
                .description(Some("All that was written, in bytes."))
                .build();
            response = response
                .content(BYTES, bytes())
                .header("Output-Complete", complete)
                .header("Output-Total-Bytes", total);
        }
    }
    if row.takes_key() {
        let replayed = HeaderBuilder::new()
            .schema(Some(ObjectBuilder::new().schema_type(Type::Boolean)))
            .description(Some("True: the answer of an earlier request with this key."))
            .build();
        response = response.header("Idempotent-Replayed", replayed);
    }
    response.build()
}

/// Any bytes.
fn bytes() -> Typed {
    Typed::new(Some(binary()))
}

fn binary() -> ObjectBuilder {
    let bytes = ObjectBuilder::new().schema_type(Type::String);
    bytes.format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
}

/// A form with one part for each file.
fn files() -> Typed {
    let files = ArrayBuilder::new().items(binary()).min_items(Some(1)).max_items(Some(MAX_PARTS));
    let form = ObjectBuilder::new().schema_type(Type::Object).property("files", files);
    Typed::new(Some(form.required("files")))
}
