//! One row as an operation of the document.

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, OperationBuilder, Parameter};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{
    AdditionalProperties, KnownFormat, ObjectBuilder, SchemaFormat, Type,
};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Content as Typed, Required, Response, ResponseBuilder};

use super::{API_KEY, BEARER, PASSWORD, problems};
use crate::domain::scope::Access;
use crate::http::rest::endpoint::{Answer, Content, Endpoint, Takes};
use crate::http::rest::schemas::{Schemas, in_path, request_id};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const EVENTS: &str = "text/event-stream";
const BYTES: &str = "application/octet-stream";

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
    let body = match row.takes {
        Takes::Nothing => None,
        Takes::Json(json) => Some(vec![(JSON, json)]),
        Takes::FormOrJson { form, json } => Some(vec![(FORM, form), (JSON, json)]),
    };
    if let Some(types) = body {
        let mut body = RequestBodyBuilder::new().required(Some(Required::True));
        for (media_type, schema) in types {
            body = body.content(media_type, Typed::new(Some(schema(schemas))));
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
fn events() -> Typed {
    let about = "Server-sent events; `data` is JSON.";
    let text = ObjectBuilder::new().schema_type(Type::String).description(Some(about));
    Typed::new(Some(text))
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
        Content::Output => {
            let complete = HeaderBuilder::new()
                .schema(Some(ObjectBuilder::new().schema_type(Type::Boolean)))
                .description(Some("False: only the beginning is kept."))
                .build();
            let total = HeaderBuilder::new()
                .schema(Some(ObjectBuilder::new().schema_type(Type::Integer)))
                .description(Some("All that was written, in bytes."))
                .build();
            let bytes = ObjectBuilder::new().schema_type(Type::String);
            let bytes = bytes.format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
            response = response
                .content(BYTES, Typed::new(Some(bytes)))
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
