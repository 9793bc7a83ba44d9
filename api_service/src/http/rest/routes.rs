//! The route table: what exists, and what it asks of its callers.

use std::collections::BTreeMap;

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Resource, Route};

use super::{api_keys, auth, doctor, executions, health, languages, openapi, sessions, users};
use crate::domain::scope::{Access, Scope};
use crate::http::extract::MaxBody;
use crate::http::failure::Failure;
use crate::http::middleware::{authenticate, authorize};

/// Everything with a credential lives below this.
const PROTECTED: &str = "/v1";

/// Largest body, in bytes, of a caller who has shown no credential: a user name, a password, a token.
const PUBLIC_BODY: usize = 16 << 10;

/// One row.
pub struct Endpoint {
    /// The method.
    pub method: Method,
    /// The whole path, with its parameters.
    pub path: &'static str,
    /// What it asks of its callers.
    pub access: Access,
    route: fn() -> Route,
}

impl Endpoint {
    /// The route, which asks of its callers what the row says, however they spell its path.
    fn guarded(self) -> Route {
        let Self { method: _, path: _, access, route } = self;
        match access {
            Access::Public => route(),
            Access::SignedIn | Access::Needs(_) => {
                route().wrap(from_fn(move |request, next| authorize(access, request, next)))
            }
        }
    }
}

fn get(path: &'static str, access: Access, route: fn() -> Route) -> Endpoint {
    Endpoint { method: Method::GET, path, access, route }
}

fn post(path: &'static str, access: Access, route: fn() -> Route) -> Endpoint {
    Endpoint { method: Method::POST, path, access, route }
}

fn delete(path: &'static str, access: Access, route: fn() -> Route) -> Endpoint {
    Endpoint { method: Method::DELETE, path, access, route }
}

fn put(path: &'static str, access: Access, route: fn() -> Route) -> Endpoint {
    Endpoint { method: Method::PUT, path, access, route }
}

/// The routes that ask for nothing. A scope of their own, not exceptions from the other.
pub fn public() -> Vec<Endpoint> {
    use Access::Public;
    vec![
        post("/v1/auth/token", Public, || web::post().to(auth::token)),
        post("/v1/auth/refresh", Public, || web::post().to(auth::refresh)),
        post("/v1/auth/logout", Public, || web::post().to(auth::logout)),
        get("/v1/languages", Public, || web::get().to(languages::languages)),
        get("/health", Public, || web::get().to(health::health)),
        get("/livez", Public, || web::get().to(health::livez)),
        get("/readyz", Public, || web::get().to(health::readyz)),
        get("/openapi.json", Public, || web::get().to(openapi::openapi)),
    ]
}

/// The routes that ask for a credential.
pub fn protected() -> Vec<Endpoint> {
    use Access::{Needs, SignedIn};
    use Scope::{Admin, Keys, Read, Run, Sessions};
    vec![
        post("/v1/users", Needs(Admin), || web::post().to(users::create)),
        get("/v1/doctor", Needs(Admin), || web::get().to(doctor::doctor)),
        get("/v1/users/me", SignedIn, || web::get().to(users::me)),
        post("/v1/api_keys", Needs(Keys), || web::post().to(api_keys::create)),
        get("/v1/api_keys", Needs(Keys), || web::get().to(api_keys::list)),
        delete("/v1/api_keys/{id}", Needs(Keys), || web::delete().to(api_keys::delete)),
        post("/v1/code_interpreter/run", Needs(Run), || web::post().to(executions::run::run)),
        get("/v1/code_interpreter/executions", Needs(Read), || web::get().to(executions::list)),
        get("/v1/code_interpreter/executions/{id}", Needs(Read), || web::get().to(executions::get)),
        get("/v1/code_interpreter/executions/{id}/output/{stream}", Needs(Read), || {
            web::get().to(executions::output::get)
        }),
        post("/v1/code_interpreter/executions/{id}/cancel", Needs(Run), || {
            web::post().to(executions::cancel)
        }),
        post("/v1/code_interpreter/sessions", Needs(Sessions), || web::post().to(sessions::create)),
        get("/v1/code_interpreter/sessions", Needs(Read), || web::get().to(sessions::list)),
        get("/v1/code_interpreter/sessions/{id}", Needs(Read), || web::get().to(sessions::get)),
        delete("/v1/code_interpreter/sessions/{id}", Needs(Sessions), || {
            web::delete().to(sessions::delete)
        }),
        get("/v1/users", Needs(Admin), || web::get().to(users::list)),
        get("/v1/users/{id}", Needs(Admin), || web::get().to(users::get)),
        delete("/v1/users/{id}", Needs(Admin), || web::delete().to(users::delete)),
        post("/v1/users/{id}/disable", Needs(Admin), || web::post().to(users::disable)),
        post("/v1/users/{id}/enable", Needs(Admin), || web::post().to(users::enable)),
        put("/v1/users/me/password", SignedIn, || web::put().to(users::change_password)),
        put("/v1/users/{id}/password", Needs(Admin), || web::put().to(users::reset_password)),
    ]
}

/// Registers every route.
pub fn configure(config: &mut ServiceConfig) {
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
            let methods: Vec<Method> = rows.iter().map(|row| row.method.clone()).collect();
            let mut resource = web::resource(path.strip_prefix(prefix).unwrap_or(path));
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
