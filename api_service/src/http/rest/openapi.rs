//! The OpenAPI document, made from the code, and a page to try it.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::Bytes;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Flow, HttpAuthScheme, HttpBuilder, OAuth2, Password, Scopes,
    SecurityScheme,
};
use utoipa::{Modify, OpenApi};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{api_keys, auth, doctor, executions, health, languages, sessions, users};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Crucible",
        description = "Runs code for language models, in sandboxes.\n\n\
            Errors are RFC 9457 problems. A program that fails is not an error: its run answers \
            200, and `status` says how it ended.",
    ),
    paths(
        auth::token, auth::refresh, auth::logout,
        users::create, users::me, users::list, users::get, users::disable, users::enable,
        users::delete, users::change_password, users::reset_password,
        api_keys::create, api_keys::list, api_keys::delete,
        executions::run::run,
        executions::list, executions::get, executions::cancel, executions::output::get,
        sessions::create, sessions::list, sessions::get, sessions::delete,
        languages::languages,
        doctor::doctor,
        health::health, health::livez, health::readyz,
        openapi,
    ),
    modifiers(&Security),
    tags(
        (name = "credentials", description = "Sign-in, users, API keys"),
        (name = "run", description = "Running code"),
        (name = "sessions", description = "Sandboxes whose state lives on between runs"),
        (name = "operator", description = "What is for administrators alone"),
        (name = "public", description = "What anybody may ask"),
    )
)]
struct Document;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let key = ApiKey::Header(ApiKeyValue::new("X-API-Key"));
        components.add_security_scheme("api_key", SecurityScheme::ApiKey(key));
        // Lets the page sign in with name and password.
        let password = Flow::Password(Password::new("/v1/auth/token", Scopes::new()));
        components.add_security_scheme("password", SecurityScheme::OAuth2(OAuth2::new([password])));
    }
}

/// The OpenAPI document of this version.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// Anybody may ask for it, and to put it together takes a hundred times as long as to send it.
static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| {
    Bytes::from(serde_json::to_vec(&document()).expect("strings and maps of strings"))
});

/// The OpenAPI document.
#[utoipa::path(
    get, path = "/openapi.json", tag = "public",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json"))
)]
pub(in crate::http::rest) async fn openapi() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(DOCUMENT.clone())
}

/// The page to try it, at `/docs/`.
pub(super) fn page() -> SwaggerUi {
    SwaggerUi::new("/docs/{_:.*}").config(Config::from("/openapi.json"))
}

pub(in crate::http::rest) async fn to_page() -> HttpResponse {
    HttpResponse::TemporaryRedirect().insert_header((LOCATION, "/docs/")).finish()
}
