//! The OpenAPI document, made of the rows of the route table, and a page to try it.

mod operation;
mod problems;

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::{Bytes, Data};
use utoipa::openapi::path::{HttpMethod, PathItem};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Flow, HttpAuthScheme, HttpBuilder, OAuth2, Password, Scopes,
    SecurityScheme,
};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Paths};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::endpoint::{Endpoint, Tag};
use super::schemas::{Schemas, schema};
use crate::http::failure::problem::Problem;

const ABOUT: &str = "Runs code for language models, in sandboxes.\n\n\
    Errors are RFC 9457 problems. A program that fails is not an error: its run answers 200, and \
    `status` says how it ended.\n\n\
    Bodies are UTF-8 and not compressed. Whatever can be asked for with GET answers to HEAD, too. \
    A credential is sent as `Authorization: Bearer` or as `X-API-Key`, and not as both.";

const BEARER: &str = "bearer";
const API_KEY: &str = "api_key";
const PASSWORD: &str = "password";

/// The document in JSON: to put it together takes a hundred times as long as to send it.
#[derive(Clone)]
pub(super) struct Document(pub(super) Bytes);

/// The document of `rows`.
pub(super) fn describe(rows: &[Endpoint]) -> OpenApi {
    let mut schemas = Schemas::default();
    schema::<Problem>(&mut schemas);
    let mut paths = Paths::new();
    for row in rows {
        let item = PathItem::new(method(row), operation::of(row, &mut schemas));
        match paths.paths.get_mut(row.path) {
            Some(there) => there.merge_operations(item),
            None => drop(paths.paths.insert(row.path.to_owned(), item)),
        }
    }
    let tags = Tag::ALL
        .map(|tag| TagBuilder::new().name(tag.name()).description(Some(tag.description())).build());
    let info = InfoBuilder::new()
        .title("Crucible")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .build();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    // Lets the page sign in with name and password.
    let password = Flow::Password(Password::new("/v1/auth/token", Scopes::new()));
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas.0)
        .security_scheme(BEARER, SecurityScheme::Http(bearer))
        .security_scheme(
            API_KEY,
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key"))),
        )
        .security_scheme(PASSWORD, SecurityScheme::OAuth2(OAuth2::new([password])));
    OpenApiBuilder::new()
        .info(info)
        .paths(paths)
        .components(Some(components.build()))
        .tags(Some(tags))
        .build()
}

fn method(row: &Endpoint) -> HttpMethod {
    match row.method.as_str() {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

/// Answers with the document.
pub(in crate::http::rest) async fn openapi(document: Data<Document>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(document.0.clone())
}

/// The page to try it, at `/docs/`.
pub(super) fn page() -> SwaggerUi {
    SwaggerUi::new("/docs/{_:.*}").config(Config::from("/openapi.json"))
}

pub(super) async fn to_page() -> HttpResponse {
    HttpResponse::TemporaryRedirect().insert_header((LOCATION, "/docs/")).finish()
}
