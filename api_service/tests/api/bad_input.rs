//! What is wrong with a request is told by field and remedy.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{App, eventually};

const RUN: &str = "/v1/code_interpreter/run";

fn good() -> Value {
    json!({"code": "say hi", "language": "python"})
}

/// A good request with one field changed.
fn with(field: &str, value: Value) -> Value {
    let mut body = good();
    body[field] = value;
    body
}

#[tokio::test]
async fn every_bad_field_is_named() {
    let app = App::start().await;
    let token = app.admin().await;
    let many = |count: usize| vec!["x"; count];
    let named = |count: usize| -> Value {
        (0..count).map(|n| (format!("F{n}"), json!(""))).collect::<serde_json::Map<_, _>>().into()
    };
    let cases = [
        (with("language", json!("ruby")), "language"),
        (with("code", json!("")), "code"),
        (with("code", json!(" \n")), "code"),
        (with("code", json!("a\u{0}b")), "code"),
        (with("code", json!("x".repeat((1 << 20) + 1))), "code"),
        (with("timeout", json!(0)), "timeout"),
        (with("timeout", json!(-1)), "timeout"),
        (with("timeout", json!(300.5)), "timeout"),
        (with("timeout", json!("30")), "timeout"),
        (with("session_id", json!("mine")), "session_id"),
        (with("stdin", json!({"base64": "%%"})), "stdin"),
        (with("stdin", json!(7)), "stdin"),
        (with("args", json!(many(257))), "args"),
        (with("args", json!(["ok", "a\u{0}"])), "args[1]"),
        (with("args", json!([1])), "args[0]"),
        (with("env", json!({"1A": "x"})), "env.1A"),
        (with("env", json!({"A=B": "x"})), r#"env["A=B"]"#),
        (with("env", json!({"A": "\u{0}"})), "env.A"),
        (with("env", named(257)), "env"),
        (with("files", json!({"../x": ""})), r#"files["../x"]"#),
        (with("files", json!({"a/../../x": ""})), r#"files["a/../../x"]"#),
        (with("files", json!({"/etc/passwd": ""})), r#"files["/etc/passwd"]"#),
        (with("files", json!({"a\u{0}": ""})), r#"files["a\u0000"]"#),
        (with("files", json!({"a": {"base64": "x"}})), "files.a"),
        (with("files", json!({"a": "", "./a": ""})), "files.a"),
        (with("files", named(1001)), "files"),
        (with("files", json!({"a": "", "a/b": ""})), r#"files["a/b"]"#),
        (with("files", json!({"a/b": "", "./a//b/c/d": ""})), r#"files["a/b/c/d"]"#),
        (with("limits", json!({"memory_bytes": 0})), "limits.memory_bytes"),
        (with("limits", json!({"memory_bytes": -1})), "limits.memory_bytes"),
        (with("limits", json!({"processes": 5_000_000_000_u64})), "limits.processes"),
        (with("limits", json!({"memory": 1})), "limits.memory"),
        (with("compiler_flags", json!(["-O2"])), "compiler_flags"),
        (with("colour", json!("red")), "colour"),
        (json!({"language": "python"}), "code"),
        (json!([]), "body"),
    ];
    for (body, field) in cases {
        let answer = app.post(RUN, &token, body.clone()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}: {}", answer.text);
        assert_eq!(answer.code(), "validation_failed");
        let errors = answer.json()["errors"].clone();
        let locs: Vec<&str> =
            errors.as_array().unwrap().iter().map(|error| error["loc"].as_str().unwrap()).collect();
        assert!(locs.contains(&field), "{field} in {errors}");
    }
    assert!(app.worker.seen().executes.is_empty(), "nothing of it reached the worker");
}

#[tokio::test]
async fn all_bad_fields_are_named_at_once() {
    let app = App::start().await;
    let body = json!({"code": "", "language": "x", "timeout": 0, "limits": {"processes": 0}});
    let answer = app.post(RUN, &app.admin().await, body).await;
    assert_eq!(answer.json()["errors"].as_array().unwrap().len(), 4, "{}", answer.text);
}

#[tokio::test]
async fn bodies_that_are_not_plain_json_are_refused() {
    let app = App::start_with(&[("MAX_BODY_BYTES", "4096")]).await;
    let token = app.admin().await;
    let deep = "[".repeat(100) + &"]".repeat(100);
    let deep = format!(r#"{{"code": "x", "language": "python", "args": {deep}}}"#);
    let duplicate = r#"{"code": "x", "language": "python", "limits": {"inodes": 1, "inodes": 2}}"#;
    let large = json!({"code": "x".repeat(5000), "language": "python"}).to_string();
    let cases = [
        ("{\"code\": ", 400, "invalid_json"),
        ("", 400, "invalid_json"),
        (&*deep, 422, "nesting_too_deep"),
        (duplicate, 422, "duplicate_key"),
        (&*large, 413, "body_too_large"),
    ];
    for (body, status, code) in cases {
        let answer = app.send(Method::POST, RUN, &token, &[], Some(body.to_owned())).await;
        assert_eq!((answer.status.as_u16(), &*answer.code()), (status, code), "{body}");
    }
    let answer = app.send(Method::POST, RUN, &token, &[], Some(duplicate.to_owned())).await;
    assert_eq!(answer.json()["errors"][0]["loc"], "limits.inodes");

    let text = [("content-type", "text/plain")];
    let answer = app.send(Method::POST, RUN, &token, &text, Some(good().to_string())).await;
    assert_eq!((answer.status.as_u16(), &*answer.code()), (415, "unsupported_media_type"));
}

#[tokio::test]
async fn what_is_no_json_is_told_in_our_words() {
    let app = App::start().await;
    let token = app.admin().await;
    for (body, word) in [
        ("\u{feff}{}", "byte order mark"),
        (r#"{"code": "\ud800", "language": "python"}"#, "surrogate"),
        (r#"{"code": "\ud800x"}"#, "surrogate"),
        ("{\"code\": ", "ends at line 1"),
        ("{code: 1}", "at line 1 column 2"),
        ("", "empty"),
    ] {
        let answer = app.send(Method::POST, RUN, &token, &[], Some(body.to_owned())).await;
        assert_eq!((answer.status.as_u16(), &*answer.code()), (400, "invalid_json"), "{body}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(word), "{body}: {detail}");
    }
    let answer = app.get("/v1/code_interpreter/executions?limit=abc", &token).await;
    let errors = answer.json()["errors"].clone();
    assert_eq!(errors[0]["msg"], "must be a whole number from 1 to 250");
}

#[tokio::test]
async fn a_whole_number_may_have_a_fraction_of_nothing() {
    let app = App::start().await;
    let token = app.admin().await;
    let body = r#"{"code": "say hi", "language": "python",
        "limits": {"memory_bytes": 134217728.0, "processes": 8.0}}"#;
    let answer = app.send(Method::POST, RUN, &token, &[], Some(body.to_owned())).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let limits = app.worker.seen().executes[0].limits.unwrap();
    assert_eq!(limits.memory_bytes, Some(134_217_728));
    let half = body.replace(" 8.0", " 8.5");
    let answer = app.send(Method::POST, RUN, &token, &[], Some(half)).await;
    assert_eq!(answer.json()["errors"][0]["loc"], "limits.processes", "{}", answer.text);
}

#[tokio::test]
async fn a_compressed_body_is_refused_with_the_remedy() {
    let app = App::start().await;
    let token = app.admin().await;
    let send = async |encoding: &str| {
        let headers = [("content-encoding", encoding)];
        app.send(Method::POST, RUN, &token, &headers, Some(good().to_string())).await
    };
    for encoding in ["gzip", "br", "GZIP", "identity, gzip"] {
        let answer = send(encoding).await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.code()),
            (415, "unsupported_content_encoding"),
            "{encoding}"
        );
        assert!(answer.text.contains("without Content-Encoding"), "{}", answer.text);
    }
    assert_eq!(send("identity").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_file_below_a_file_is_refused_before_anything_runs() {
    let app = App::start().await;
    let body = with("files", json!({"a": "", "a/b": ""}));
    let answer = app.post(RUN, &app.admin().await, body).await;
    assert_eq!(answer.code(), "validation_failed");
    let error = answer.json()["errors"][0].clone();
    assert_eq!(error["loc"], r#"files["a/b"]"#);
    assert!(error["msg"].as_str().unwrap().contains("files.a"), "{error}");
    assert!(app.worker.seen().executes.is_empty());
}

#[tokio::test]
async fn an_error_is_short_and_repeats_no_value() {
    let app = App::start().await;
    let token = app.admin().await;
    let (long, secret) = ("k".repeat(100_000), "nobody-repeats-this");
    let bad_names = |count: usize| -> Value {
        let name = |number| format!("../{}{number}", "\u{1}".repeat(250));
        (0..count).map(|number| (name(number), json!(""))).collect::<serde_json::Map<_, _>>().into()
    };
    let cases = [
        (RUN, with(&long, json!(1)), "k"),
        (RUN, with("env", json!({&long: 1})), "env.k"),
        (RUN, with("files", json!({&long: {"base64": 1}})), "files.k"),
        (RUN, with("files", json!({"a": {&long: 1}})), "files.a"),
        (RUN, with("files", bad_names(1000)), "files["),
        (RUN, with("timeout", json!(long)), "timeout"),
        (RUN, with("timeout", json!(secret)), "timeout"),
        (RUN, with("args", json!(secret)), "args"),
        (RUN, with("args", json!([secret, {"a": secret}])), "args[1]"),
        ("/v1/users", json!({"username": "x", "password": "y", "is_admin": secret}), "is_admin"),
        ("/v1/auth/token", json!({"username": [secret], "password": secret}), "username"),
        ("/v1/auth/refresh", json!({"refresh_token": [secret]}), "refresh_token"),
    ];
    for (path, body, field) in cases {
        let answer = app.post(path, &token, body).await;
        assert_eq!(answer.code(), "validation_failed", "{field}");
        let loc = answer.json()["errors"][0]["loc"].as_str().unwrap().to_owned();
        assert!(loc.starts_with(field), "{field}: {loc}");
        assert!(answer.text.len() < 150_000, "{field}: {}", answer.text.len());
        assert!(!answer.text.contains(secret), "{}", answer.text);
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!("username=a&password={secret}&{}=1", "k".repeat(10_000));
    let answer = app.send(Method::POST, "/v1/auth/token", "", &form, Some(body)).await;
    assert!(answer.text.len() < 2000 && !answer.text.contains(secret), "{}", answer.text);
    let query = format!("/v1/code_interpreter/executions?{}=1", "k".repeat(10_000));
    assert!(app.get(&query, &token).await.text.len() < 2000);
}

#[tokio::test]
async fn a_body_of_too_many_values_is_refused_before_anything_is_made_of_it() {
    let app = App::start().await;
    let token = app.admin().await;
    let values = "\"\",".repeat(20_000);
    for field in ["args", "compiler_flags", "nobody_knows"] {
        let body = format!(r#"{{"code": "x", "language": "python", "{field}": [{values} ""]}}"#);
        let answer = app.send(Method::POST, RUN, &token, &[], Some(body)).await;
        assert_eq!((answer.status.as_u16(), &*answer.code()), (422, "too_many_values"), "{field}");
        let loc = answer.json()["errors"][0]["loc"].as_str().unwrap().to_owned();
        assert!(loc.starts_with(field), "{loc}");
    }
}

#[tokio::test]
async fn a_large_body_is_refused_even_when_its_length_is_not_announced() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let app = App::start_with(&[("MAX_BODY_BYTES", "4096")]).await;
    let token = app.admin().await;
    let mut stream = tokio::net::TcpStream::connect(app.address).await.unwrap();
    let head = format!(
        "POST {RUN} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("1388\r\n{}\r\n", "x".repeat(5000));
    stream.write_all(chunk.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 413");
}

#[tokio::test]
async fn sessions_and_pages_have_rules_too() {
    let app = App::start().await;
    let token = app.admin().await;
    let cases = [
        (json!({"language": "cobol"}), "language"),
        (json!({"language": "python", "ttl": 0}), "ttl"),
        (json!({"language": "python", "ttl": 90_000}), "ttl"),
        (json!({"language": "python", "metadata": []}), "metadata"),
        (json!({"language": "python", "metadata": {"x": "y".repeat(20_000)}}), "metadata"),
        (json!({"network": {"mode": "deny"}}), "network.mode"),
        (json!({"network": {"allow": ["a\0b"]}}), "network.allow[0]"),
        (json!({"network": {"allow": vec!["a.org"; 65]}}), "network.allow"),
        (json!({"network": {"deny": ["a.org", ""]}}), "network.deny[1]"),
        (json!({"network": {"methods": {"a.org": ["get"]}}}), "network.methods.a.org"),
        (json!({"network": {"methods": {"a.org": []}}}), "network.methods.a.org"),
        (json!({"network": {"max_connections": 65}}), "network.max_connections"),
        (json!({"network": {"secrets": [{"host": "a.org"}]}}), "network.secrets"),
    ];
    for (body, field) in cases {
        let answer = app.post("/v1/code_interpreter/sessions", &token, body).await;
        assert_eq!(answer.json()["errors"][0]["loc"], field, "{}", answer.text);
    }
    for query in ["limit=0", "limit=251", "limit=x", "limit=-1", "cursor=x", "page=1"] {
        let path = format!("/v1/code_interpreter/executions?{query}");
        let answer = app.get(&path, &token).await;
        assert_eq!(answer.code(), "validation_failed", "{query}");
        assert_eq!(answer.json()["errors"][0]["loc"], query.split('=').next().unwrap());
    }
}

#[tokio::test]
async fn aliases_are_other_names_of_a_language() {
    let app = App::start().await;
    let token = app.admin().await;
    let names = [
        ("py", "python"),
        ("javascript", "node"),
        ("js", "node"),
        ("sh", "bash"),
        ("shell", "bash"),
    ];
    app.worker.learn("node", &["javascript", "js"]);
    eventually(async || {
        let shown = app.get("/v1/languages", "").await.json();
        (shown["missing"] == json!([])).then_some(())
    })
    .await;
    for (alias, name) in names {
        let answer = app.post(RUN, &token, with("language", json!(alias))).await;
        assert_eq!(answer.json()["language"], name, "{}", answer.text);
    }
}
