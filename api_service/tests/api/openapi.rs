//! The OpenAPI document is what is really there.

use std::collections::BTreeSet;

use api_service::http::rest;
use serde_json::Value;

fn documented() -> BTreeSet<String> {
    let document: Value = serde_json::to_value(rest::document()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys();
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect()
}

#[test]
fn every_route_is_documented_and_every_documented_route_is_there() {
    let registered: BTreeSet<String> = rest::public()
        .iter()
        .chain(&rest::protected())
        .map(|row| format!("{} {}", row.method, row.path))
        .collect();
    assert_eq!(documented(), registered);
}

#[test]
fn protected_routes_say_that_they_want_a_credential() {
    let document: Value = serde_json::to_value(rest::document()).unwrap();
    for row in rest::protected() {
        let operation = &document["paths"][row.path][row.method.as_str().to_lowercase()];
        assert!(operation["security"].is_array(), "{} {}", row.method, row.path);
    }
}

#[test]
fn a_change_of_the_paths_is_seen_in_review() {
    let reviewed = [
        "DELETE /v1/api_keys/{id}",
        "DELETE /v1/code_interpreter/sessions/{id}",
        "DELETE /v1/users/{id}",
        "GET /health",
        "GET /livez",
        "GET /openapi.json",
        "GET /readyz",
        "GET /v1/api_keys",
        "GET /v1/code_interpreter/executions",
        "GET /v1/code_interpreter/executions/{id}",
        "GET /v1/code_interpreter/executions/{id}/output/{stream}",
        "GET /v1/code_interpreter/sessions",
        "GET /v1/code_interpreter/sessions/{id}",
        "GET /v1/doctor",
        "GET /v1/languages",
        "GET /v1/users",
        "GET /v1/users/me",
        "GET /v1/users/{id}",
        "POST /v1/api_keys",
        "POST /v1/auth/logout",
        "POST /v1/auth/refresh",
        "POST /v1/auth/token",
        "POST /v1/code_interpreter/executions/{id}/cancel",
        "POST /v1/code_interpreter/run",
        "POST /v1/code_interpreter/sessions",
        "POST /v1/users",
        "POST /v1/users/{id}/disable",
        "POST /v1/users/{id}/enable",
        "PUT /v1/users/me/password",
        "PUT /v1/users/{id}/password",
    ];
    assert_eq!(documented().into_iter().collect::<Vec<_>>(), reviewed);
}
