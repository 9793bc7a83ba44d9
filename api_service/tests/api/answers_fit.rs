//! Answers are what the document says they are.

use api_service::http::rest;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{App, eventually};

/// What is wrong with `value`, by the part of JSON Schema that the document uses.
fn misfits(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.trim_start_matches('#')).expect("it is there");
        return misfits(document, target, value, at);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        wrong.extend(misfits(document, part, value, at));
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fits = |choice: &&Value| misfits(document, choice, value, at).is_empty();
        if choices.iter().filter(fits).count() != 1 {
            wrong.push(format!("{at}: {value} is not one of {choices:?}"));
        }
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let fits = |choice: &Value| misfits(document, choice, value, at).is_empty();
        if !choices.iter().any(fits) {
            wrong.push(format!("{at}: {value} is none of {choices:?}"));
        }
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = |name: &Value| name == kind || (name == "number" && kind == "integer");
    let typed = match &schema["type"] {
        Value::Null => true,
        Value::Array(names) => names.iter().any(fits),
        name => fits(name),
    };
    if !typed {
        wrong.push(format!("{at}: {value} is no {}", schema["type"]));
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        wrong.push(format!("{at}: {value} is none of {}", schema["enum"]));
    }
    if let Some(object) = value.as_object() {
        for name in schema["required"].as_array().into_iter().flatten() {
            if !object.contains_key(name.as_str().unwrap()) {
                wrong.push(format!("{at}: {name} is missing"));
            }
        }
        for (name, field) in object {
            let about = match &schema["properties"][name] {
                Value::Null => &schema["additionalProperties"],
                about => about,
            };
            if *about == json!(false) {
                wrong.push(format!("{at}: nobody told of {name}"));
            }
            wrong.extend(misfits(document, about, field, &format!("{at}.{name}")));
        }
    }
    for item in value.as_array().into_iter().flatten() {
        wrong.extend(misfits(document, &schema["items"], item, &format!("{at}[]")));
    }
    wrong
}

/// Every field of `value` is told of somewhere in `schema`.
fn told(document: &Value, schema: &Value, name: &str) -> bool {
    let target = schema["$ref"].as_str().map(|it| document.pointer(it.trim_start_matches('#')));
    if let Some(target) = target {
        return told(document, target.expect("it is there"), name);
    }
    schema["properties"].get(name).is_some()
        || ["allOf", "anyOf"].into_iter().any(|kind| {
            let mut parts = schema[kind].as_array().into_iter().flatten();
            parts.any(|part| told(document, part, name))
        })
}

#[test]
fn examples_are_what_they_are_examples_of() {
    let document = serde_json::to_value(rest::document()).unwrap();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut seen = 0;
    for (name, schema) in schemas {
        let many = schema["examples"].as_array().into_iter().flatten();
        for example in schema.get("example").into_iter().chain(many) {
            assert_eq!(misfits(&document, schema, example, name), Vec::<String>::new());
            seen += 1;
        }
    }
    assert!(seen >= 10, "{seen} examples");
}

#[tokio::test]
async fn answers_have_the_shape_that_the_document_gives_them() {
    let app = App::start().await;
    let admin = app.admin().await;
    let document = serde_json::to_value(rest::document()).unwrap();
    let check = async |method: Method, path: &str, row: &str, body: Option<Value>| {
        let body = body.map(|body| body.to_string());
        let answer = app.send(method.clone(), path, &admin, &[], body).await;
        let operation = &document["paths"][row][method.as_str().to_lowercase()];
        let content = &operation["responses"][answer.status.as_str()]["content"];
        let media_type = answer.headers["content-type"].to_str().unwrap().to_owned();
        let schema = &content[media_type]["schema"];
        assert!(schema.is_object(), "{row}: {}", answer.status);
        let value = answer.json();
        assert_eq!(misfits(&document, schema, &value, row), Vec::<String>::new());
        for name in value.as_object().unwrap().keys() {
            assert!(told(&document, schema, name), "{row}: nobody told of {name}");
        }
        value
    };
    let get = async |path: &str| check(Method::GET, path, path, None).await;
    for path in ["/v1/languages", "/v1/doctor", "/v1/users/me", "/health", "/livez", "/readyz"] {
        get(path).await;
    }
    let post = async |path: &str, body: Value| check(Method::POST, path, path, Some(body)).await;
    const RUN: &str = "/v1/code_interpreter/run";
    const RUNS: &str = "/v1/code_interpreter/executions";
    const SESSIONS: &str = "/v1/code_interpreter/sessions";
    for code in ["say hi", "gap", "big 1", "fail"] {
        post(RUN, json!({"code": code, "language": "python"})).await;
    }
    for code in ["say hi", "draw", "mixed", "fail"] {
        let wishes = json!({
            "code": code, "language": "python", "for_model": 1000, "collect": ["*"],
            "large_results": "url",
        });
        let run = post(RUN, wishes).await;
        let path = format!("{RUNS}/{}", run["execution_id"].as_str().unwrap());
        check(Method::GET, &path, &format!("{RUNS}/{{id}}"), None).await;
        let compact = json!({"code": code, "language": "python", "answer": "compact"});
        post(RUN, compact).await;
    }
    post(RUN, json!({"code": "", "language": "x"})).await;
    post("/v1/api_keys", json!({"name": "k", "expires_at": "2999-01-01T00:00:00Z"})).await;
    post("/v1/users", json!({"username": "somebody", "password": "long enough, surely"})).await;
    let metadata = json!({"a": 1, "b": {"c": [null]}});
    let session = post(SESSIONS, json!({"language": "python", "metadata": metadata})).await;
    let id = session["session_id"].as_str().unwrap();
    check(Method::GET, &format!("{SESSIONS}/{id}"), &format!("{SESSIONS}/{{id}}"), None).await;
    for path in [RUNS, SESSIONS, "/v1/api_keys"] {
        get(path).await;
    }
    let one = format!("{RUNS}/{{id}}");
    let running = app.run(&admin, "hang");
    let watching = async {
        let id = eventually(async || {
            let runs = app.get(RUNS, &admin).await.json();
            let newest = runs["data"][0].clone();
            (newest["status"] == "running").then(|| newest["execution_id"].clone())
        })
        .await;
        let path = format!("{RUNS}/{}", id.as_str().unwrap());
        let execution = check(Method::GET, &path, &one, None).await;
        assert_eq!(execution["status"], "running");
        let cancel = format!("{path}/cancel");
        eventually(async || {
            let answer = check(Method::POST, &cancel, &format!("{one}/cancel"), None).await;
            (answer["success"] == true).then_some(())
        })
        .await;
        path
    };
    let (_, path) = tokio::join!(running, watching);
    check(Method::GET, &path, &one, None).await;
}
