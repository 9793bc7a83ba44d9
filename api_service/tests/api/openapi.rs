//! The OpenAPI document is what is really there.

use std::collections::BTreeSet;

use api_service::domain::scope::{Access, Scope};
use api_service::http::failure::Code;
use api_service::http::rest;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::App;

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
        "DELETE /v1/code_interpreter/sessions/{id}/contexts/{context_id}",
        "DELETE /v1/code_interpreter/sessions/{id}/files/{path}",
        "DELETE /v1/code_interpreter/sessions/{id}/processes/{pid}",
        "DELETE /v1/users/{id}",
        "GET /health",
        "GET /livez",
        "GET /openapi.json",
        "GET /readyz",
        "GET /v1/api_keys",
        "GET /v1/code_interpreter/executions",
        "GET /v1/code_interpreter/executions/{id}",
        "GET /v1/code_interpreter/executions/{id}/artifacts/{path}",
        "GET /v1/code_interpreter/executions/{id}/events",
        "GET /v1/code_interpreter/executions/{id}/output/{stream}",
        "GET /v1/code_interpreter/sessions",
        "GET /v1/code_interpreter/sessions/{id}",
        "GET /v1/code_interpreter/sessions/{id}/contexts",
        "GET /v1/code_interpreter/sessions/{id}/files",
        "GET /v1/code_interpreter/sessions/{id}/files.tar",
        "GET /v1/code_interpreter/sessions/{id}/files/{path}",
        "GET /v1/code_interpreter/sessions/{id}/files:watch",
        "GET /v1/code_interpreter/sessions/{id}/network/log",
        "GET /v1/code_interpreter/sessions/{id}/processes",
        "GET /v1/code_interpreter/sessions/{id}/processes/{pid}",
        "GET /v1/code_interpreter/sessions/{id}/processes/{pid}/events",
        "GET /v1/code_interpreter/sessions/{id}/processes/{pid}/tty",
        "GET /v1/code_interpreter/ws",
        "GET /v1/doctor",
        "GET /v1/languages",
        "GET /v1/users",
        "GET /v1/users/me",
        "GET /v1/users/{id}",
        "PATCH /v1/code_interpreter/sessions/{id}",
        "PATCH /v1/code_interpreter/sessions/{id}/network",
        "POST /v1/api_keys",
        "POST /v1/auth/logout",
        "POST /v1/auth/refresh",
        "POST /v1/auth/token",
        "POST /v1/code_interpreter/executions/{id}/cancel",
        "POST /v1/code_interpreter/executions/{id}/stdin",
        "POST /v1/code_interpreter/run",
        "POST /v1/code_interpreter/sessions",
        "POST /v1/code_interpreter/sessions/{id}/contexts",
        "POST /v1/code_interpreter/sessions/{id}/contexts/{context_id}/interrupt",
        "POST /v1/code_interpreter/sessions/{id}/contexts/{context_id}/restart",
        "POST /v1/code_interpreter/sessions/{id}/extend",
        "POST /v1/code_interpreter/sessions/{id}/files",
        "POST /v1/code_interpreter/sessions/{id}/files:copy",
        "POST /v1/code_interpreter/sessions/{id}/files:mkdir",
        "POST /v1/code_interpreter/sessions/{id}/files:move",
        "POST /v1/code_interpreter/sessions/{id}/interrupt",
        "POST /v1/code_interpreter/sessions/{id}/pause",
        "POST /v1/code_interpreter/sessions/{id}/processes",
        "POST /v1/code_interpreter/sessions/{id}/processes/{pid}/resize",
        "POST /v1/code_interpreter/sessions/{id}/processes/{pid}/signal",
        "POST /v1/code_interpreter/sessions/{id}/processes/{pid}/stdin",
        "POST /v1/code_interpreter/sessions/{id}/restart",
        "POST /v1/code_interpreter/sessions/{id}/resume",
        "POST /v1/users",
        "POST /v1/users/{id}/disable",
        "POST /v1/users/{id}/enable",
        "PUT /v1/code_interpreter/sessions/{id}/files.tar",
        "PUT /v1/code_interpreter/sessions/{id}/files/{path}",
        "PUT /v1/users/me/password",
        "PUT /v1/users/{id}/password",
    ];
    assert_eq!(documented().into_iter().collect::<Vec<_>>(), reviewed);
}

/// Every value below `value` that is an object.
fn objects(value: &Value) -> Vec<&serde_json::Map<String, Value>> {
    match value {
        Value::Object(map) => std::iter::once(map).chain(map.values().flat_map(objects)).collect(),
        Value::Array(items) => items.iter().flat_map(objects).collect(),
        _ => Vec::new(),
    }
}

fn rows() -> Vec<rest::Endpoint> {
    rest::public().into_iter().chain(rest::protected()).collect()
}

fn operation<'a>(document: &'a Value, row: &rest::Endpoint) -> &'a Value {
    &document["paths"][row.path][row.method.as_str().to_lowercase()]
}

#[test]
fn operations_have_names_of_their_own_and_answers_are_described() {
    let document: Value = serde_json::to_value(rest::document()).unwrap();
    let mut ids = BTreeSet::new();
    for row in rows() {
        let operation = operation(&document, &row);
        assert_eq!(operation["operationId"], row.id);
        assert!(ids.insert(row.id), "{} stands twice", row.id);
        assert!(operation["summary"].is_string(), "{}", row.id);
        for (status, response) in operation["responses"].as_object().unwrap() {
            let described = response["description"].as_str().is_some_and(|text| !text.is_empty());
            assert!(described, "{} {status}", row.id);
        }
    }
}

#[test]
fn every_failure_of_a_row_is_documented_as_a_problem() {
    let document: Value = serde_json::to_value(rest::document()).unwrap();
    let mut met = BTreeSet::new();
    for row in rows() {
        let operation = operation(&document, &row);
        for code in row.failures() {
            let (status, name) = (code.row().status, code.row().name);
            let response = &operation["responses"][status.as_str()];
            let problem = &response["content"]["application/problem+json"];
            assert_eq!(problem["schema"]["$ref"], "#/components/schemas/Problem", "{}", row.id);
            assert!(problem["examples"][name].is_object(), "{}: {name}", row.id);
            met.insert(name);
        }
    }
    // No documented operation can meet these.
    met.extend(["method_not_allowed", "preflight_refused"]);
    let all: BTreeSet<_> = Code::ALL.iter().map(|code| code.row().name).collect();
    assert_eq!(met, all);
    let listed = &document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"];
    assert_eq!(listed.as_array().unwrap().len(), all.len());
}

#[test]
fn whatever_is_referred_to_is_there_and_lists_are_lists_of_something_named() {
    let document: Value = serde_json::to_value(rest::document()).unwrap();
    for reference in objects(&document).iter().filter_map(|object| object.get("$ref")) {
        let pointer = reference.as_str().unwrap().trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let pages: Vec<_> = schemas.iter().filter(|(name, _)| name.ends_with("Page")).collect();
    assert_eq!(pages.len(), 4);
    for (name, page) in pages {
        assert!(page["properties"]["data"]["items"]["$ref"].is_string(), "{name}: {page}");
    }
}

#[test]
fn each_type_of_a_body_has_a_schema_of_its_own() {
    let document: Value = serde_json::to_value(rest::document()).unwrap();
    for path in ["/v1/auth/token", "/v1/auth/refresh", "/v1/auth/logout"] {
        let content = &document["paths"][path]["post"]["requestBody"]["content"];
        let form = &content["application/x-www-form-urlencoded"]["schema"]["$ref"];
        assert!(form.is_string() && *form != content["application/json"]["schema"]["$ref"]);
    }
}

#[test]
fn who_signs_in_with_a_password_is_let_through_by_every_protected_operation() {
    let document: Value = serde_json::to_value(rest::document()).unwrap();
    for row in rest::protected() {
        let security = operation(&document, &row)["security"].as_array().unwrap();
        let schemes: Vec<&String> =
            security.iter().flat_map(|scheme| scheme.as_object().unwrap().keys()).collect();
        assert_eq!(schemes, ["bearer", "api_key", "password"], "{}", row.id);
    }
}

#[test]
fn fields_say_what_they_are() {
    let document: Value = serde_json::to_value(rest::document()).unwrap();
    let schemas = &document["components"]["schemas"];
    for (name, schema) in schemas.as_object().unwrap() {
        let Some(properties) = schema["properties"].as_object() else { continue };
        for (field, about) in properties {
            if field.ends_with("_at") || field.ends_with("_until") {
                assert_eq!(about["format"], "date-time", "{name}.{field}");
            }
            let words = ["status", "kind", "level", "state", "accounting", "token_type"];
            if words.contains(&&**field) && name != "Problem" {
                assert!(about["enum"].is_array(), "{name}.{field}: {about}");
            }
        }
    }
    for (name, field) in [
        ("RunAnswer", "session_id"),
        ("ExecutionSummary", "finished_at"),
        ("ApiKeyAnswer", "expires_at"),
        ("DiagnosticBody", "hint"),
        ("LimitsAnswer", "wall_ms"),
    ] {
        let text = schemas[name].to_string();
        let parts = objects(&schemas[name]);
        let listed = |part: &&serde_json::Map<String, Value>| {
            part.get("required")
                .and_then(Value::as_array)
                .is_some_and(|all| all.iter().any(|it| it == field))
        };
        assert!(parts.iter().any(listed), "{name}.{field}: {text}");
    }
    let run = &schemas["RunBody"]["properties"];
    assert_eq!(run["code"]["maxLength"], 1 << 20);
    assert_eq!(run["args"]["maxItems"], 256);
    assert_eq!(run["files"]["maxProperties"], 1000);
    assert_ne!(schemas["SessionBody"]["properties"]["metadata"]["additionalProperties"], false);
}

/// Failures that cost nothing to provoke: the app answers what the row promises.
#[tokio::test]
async fn failures_that_rows_promise_are_what_the_app_answers() {
    let app = App::start().await;
    let admin = app.admin().await;
    let reader = json!({"name": "reader", "scopes": ["read"]});
    let reader = app.post("/v1/api_keys", &admin, reader).await.json()["key"].clone();
    let other = json!({"name": "runner", "scopes": ["run"]});
    let runner = app.post("/v1/api_keys", &admin, other).await.json()["key"].clone();
    for row in rest::protected() {
        let path = row.path.replace("{id}", "none").replace("{stream}", "stdout");
        let method = Method::from_bytes(row.method.as_str().as_bytes()).unwrap();
        let promised: BTreeSet<&str> =
            row.failures().into_iter().map(|code| code.row().name).collect();
        let told = async |token: &str, headers: &[(&str, &str)], body: Option<&str>| {
            let body = body.map(str::to_owned);
            let answer = app.send(method.clone(), &path, token, headers, body).await;
            let code = answer.code();
            assert!(promised.contains(&*code), "{}: {code}", row.id);
            code
        };
        assert_eq!(told("", &[], None).await, "not_authenticated");
        assert_eq!(told("e2b_0", &[], None).await, "credential_invalid");
        assert_eq!(told(&admin, &[("x-api-key", "e2b_0")], None).await, "several_credentials");
        if promised.contains("scope_missing") {
            let key = if row.access == Access::Needs(Scope::Read) { &runner } else { &reader };
            assert_eq!(told(key.as_str().unwrap(), &[], None).await, "scope_missing");
        }
        if promised.contains("invalid_json") {
            for (headers, body, code) in [
                (&[][..], "{", "invalid_json"),
                (&[("content-type", "text/plain")], "{}", "unsupported_media_type"),
                (&[("content-encoding", "gzip")], "{}", "unsupported_content_encoding"),
                (&[], r#"{"nobody": 1}"#, "validation_failed"),
                (&[], r#"{"a": 1, "a": 2}"#, "duplicate_key"),
                (&[], &"[".repeat(40), "nesting_too_deep"),
            ] {
                assert_eq!(told(&admin, headers, Some(body)).await, code, "{}", row.id);
            }
        } else if path.contains("none") {
            assert!(told(&admin, &[], None).await.ends_with("_not_found"));
        }
    }
}

/// The record of a run has all that its answer had, flat.
#[test]
fn the_record_of_a_run_is_described_with_what_it_did() {
    let document: Value = serde_json::to_value(rest::document()).unwrap();
    let schemas = &document["components"]["schemas"];
    for field in ["execution_id", "finished_at", "stdout", "text", "artifacts", "files_changed"] {
        assert!(schemas["ExecutionAnswer"]["properties"][field].is_object(), "{field}");
    }
    let forms = schemas["AnyRunAnswer"]["anyOf"].as_array().unwrap();
    assert!(forms.iter().all(|form| {
        let name = form["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
        schemas[name].is_object()
    }));
}
