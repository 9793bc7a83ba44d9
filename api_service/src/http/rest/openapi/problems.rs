//! What a row can fail with, status by status, as the table of failures says.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Ref, Response, ResponseBuilder};

use crate::http::failure::problem::{MEDIA_TYPE, Problem};
use crate::http::failure::{Code, Row};
use crate::http::rest::endpoint::Endpoint;

/// The failures of `row`.
pub(super) fn of(row: &Endpoint) -> BTreeMap<StatusCode, Response> {
    let mut by_status: BTreeMap<StatusCode, Vec<Row>> = BTreeMap::new();
    for code in row.failures().into_iter().map(Code::row) {
        by_status.entry(code.status).or_default().push(code);
    }
    for answer in &row.gives {
        by_status.remove(&answer.status);
    }
    let unreadable = ResponseBuilder::new()
        .description("The head of the request cannot be read as HTTP; this answer has no body.");
    let mut responses = BTreeMap::from([(StatusCode::BAD_REQUEST, unreadable.build())]);
    responses.extend(by_status.into_iter().map(|(status, rows)| (status, response(status, &rows))));
    responses
}

fn response(status: StatusCode, rows: &[Row]) -> Response {
    let titles: Vec<&str> = rows.iter().map(|row| row.title).collect();
    let examples = rows.iter().map(|row| {
        let value = json!({
            "type": format!("urn:crucible:problem:{}", row.name), "title": row.title,
            "status": row.status.as_u16(), "detail": row.remedy, "code": row.name,
            "request_id": "1c5b36a1f0f14fdd8a0a8e3a1d2b3c4d", "errors": [],
        });
        (row.name, ExampleBuilder::new().summary(row.title).value(Some(value)).build())
    });
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(Problem::name())))
        .examples_from_iter(examples)
        .build();
    let mut response =
        ResponseBuilder::new().description(titles.join(". ") + ".").content(MEDIA_TYPE, content);
    if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        let seconds = HeaderBuilder::new()
            .schema(Some(ObjectBuilder::new().schema_type(Type::Integer)))
            .description(Some("When to try again, in seconds."))
            .build();
        response = response.header("Retry-After", seconds);
    }
    response.build()
}
