//! Registers what stands in the route table.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use actix_web::{HttpResponse, Resource};
use utoipa::openapi::OpenApi;

use super::endpoint::Endpoint;
use super::openapi::{self, Document};
use super::table::{protected, public};
use crate::domain::scope::Access;
use crate::http::extract::MaxBody;
use crate::http::failure::Failure;
use crate::http::middleware::authenticate;

/// Everything with a credential lives below this.
const PROTECTED: &str = "/v1";

/// Largest body, in bytes, of a caller who has shown no credential: a user name, a password, a token.
const PUBLIC_BODY: usize = 16 << 10;

/// The OpenAPI document of this version.
pub fn document() -> OpenApi {
    let rows: Vec<Endpoint> = public().into_iter().chain(protected()).collect();
    openapi::describe(&rows)
}

/// Anybody may ask for it.
static DOCUMENT: LazyLock<Document> = LazyLock::new(|| {
    Document(Bytes::from(serde_json::to_vec(&document()).expect("strings and maps of strings")))
});

/// Registers every route.
pub fn configure(config: &mut ServiceConfig) {
    let config = config.app_data(Data::new(DOCUMENT.clone()));
    for resource in resources(public(), "") {
        config.service(resource);
    }
    let mut scope = web::scope(PROTECTED);
    for resource in resources(protected(), PROTECTED) {
        scope = scope.service(resource);
    }
    config.service(scope.default_service(web::to(no_such_route)).wrap(from_fn(authenticate)));
    config.service(openapi::page());
    config.route("/docs", web::get().to(openapi::to_page));
    config.default_service(web::to(no_such_route));
}

/// One resource for all methods of a path; a method that it lacks is told which it has. Paths with
/// parameters come last: each is a regular expression, which every request for a path after it
/// would be matched against.
fn resources(rows: Vec<Endpoint>, prefix: &str) -> Vec<Resource> {
    let mut paths: BTreeMap<(bool, &'static str), Vec<Endpoint>> = BTreeMap::new();
    for row in rows {
        paths.entry((row.path.contains('{'), row.path)).or_default().push(row);
    }
    paths
        .into_iter()
        .map(|((_, path), rows)| {
            let methods: Vec<Method> = rows.iter().flat_map(Endpoint::methods).collect();
            // The path of a file has slashes.
            let pattern = path.strip_prefix(prefix).unwrap_or(path).replace("{path}", "{path:.*}");
            let mut resource = web::resource(pattern);
            if rows.iter().all(|row| matches!(row.access, Access::Public)) {
                resource = resource.app_data(MaxBody(PUBLIC_BODY));
            }
            for row in rows {
                resource = resource.route(row.guarded());
            }
            resource.default_service(web::to(move || no_such_method(methods.clone())))
        })
        .collect()
}

async fn no_such_route() -> Result<HttpResponse, Failure> {
    Err(Failure::NoSuchRoute)
}

async fn no_such_method(methods: Vec<Method>) -> Result<HttpResponse, Failure> {
    Err(Failure::NoSuchMethod(methods))
}
