//! What anybody may ask.

use api_service::http::rest;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{App, Raw, eventually};

#[tokio::test]
async fn health_tells_the_isolation_in_force() {
    let app = App::start().await;
    let health = app.get("/health", "").await;
    assert_eq!(health.status, StatusCode::OK);
    let health = health.json();
    assert_eq!(health["status"], "healthy");
    let isolation = &health["isolation"];
    assert_eq!(isolation["level"], "degraded");
    assert_eq!(isolation["walls"][0], json!({"name": "seccomp", "state": "enforced"}));
    assert_eq!(isolation["walls"][1], json!({"name": "cgroup_cpu", "state": "best_effort"}));
    let languages = app.get("/v1/languages", "").await.json();
    assert_eq!(languages["isolation"], *isolation, "the same everywhere");
    assert_eq!(languages["missing"], json!(["node"]));
}

#[tokio::test]
async fn what_the_worker_saw_of_its_host_is_for_administrators() {
    let app = App::start().await;
    let told = app.get("/v1/doctor", &app.admin().await).await.json();
    assert_eq!(told["level"], "degraded");
    assert_eq!(told["walls"][0]["remedy"], json!(null), "it stands");
    assert_eq!(told["walls"][1]["detail"], "no cpu controller");
    assert_eq!(told["walls"][1]["remedy"], "delegate it");
    assert_eq!(
        told["missing"],
        json!([{"name": "node", "reason": "not found", "remedy": "install nodejs"}])
    );
    for public in ["/health", "/v1/languages"] {
        let text = app.get(public, "").await.text;
        for detail in ["no cpu controller", "delegate it", "not found", "install nodejs"] {
            assert!(!text.contains(detail), "{public}: {text}");
        }
    }
}

#[tokio::test]
async fn without_a_worker_the_gateway_lives_and_is_not_ready() {
    let app = App::start().await;
    app.worker.kill();
    eventually(async || {
        let ready = app.get("/readyz", "").await.status;
        (ready == StatusCode::SERVICE_UNAVAILABLE).then_some(())
    })
    .await;
    assert_eq!(app.get("/livez", "").await.status, StatusCode::OK);
    let health = app.get("/health", "").await;
    assert_eq!(health.status, StatusCode::SERVICE_UNAVAILABLE);
    let health = health.json();
    assert_eq!((&health["worker"], &health["database"]), (&json!("down"), &json!("up")));
}

#[tokio::test]
async fn languages_are_what_really_runs_of_what_is_offered() {
    let app = App::start_with(&[("SUPPORTED_LANGUAGES", "python")]).await;
    let answer = app.get("/v1/languages", "").await.json();
    assert_eq!(answer["languages"][0]["version"], "3.11.2");
    assert_eq!(answer["languages"][0].get("executable"), None, "paths are the operator's business");
    assert_eq!(answer["missing"], json!([]), "node is not offered");
    assert_eq!(answer["limits"]["maxima"]["wall_ms"], 300_000);
}

#[tokio::test]
async fn every_answer_carries_the_careful_headers() {
    let app = App::start().await;
    for path in ["/livez", "/v1/users/me", "/nowhere", "/docs/"] {
        let answer = app.get(path, "").await;
        assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
        assert!(answer.headers.contains_key("content-security-policy"), "{path}");
        assert!(answer.headers.contains_key("x-request-id"), "{path}");
        assert!(!answer.headers.contains_key("server"), "{path}");
    }
}

#[tokio::test]
async fn request_ids_that_could_hurt_a_log_are_replaced() {
    let app = App::start().await;
    for (sent, taken) in [("abc-1.2_3", true), ("a b", false), (&*"x".repeat(65), false)] {
        let answer = app.send(Method::GET, "/livez", "", &[("x-request-id", sent)], None).await;
        assert_eq!(answer.headers["x-request-id"] == sent, taken, "{sent}");
    }
}

#[tokio::test]
async fn only_listed_origins_may_call_from_a_browser() {
    let app = App::start_with(&[("CORS_ORIGINS", "https://app.example.org")]).await;
    for (origin, allowed) in [("https://app.example.org", true), ("https://evil.example", false)] {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization,content-type"),
        ];
        let path = "/v1/code_interpreter/run";
        let answer = app.send(Method::OPTIONS, path, "", &headers, None).await;
        let granted = answer.headers.get("access-control-allow-origin").is_some();
        assert_eq!(granted, allowed, "{origin}");
    }
}

#[tokio::test]
async fn the_page_to_try_it_is_served_from_here() {
    let app = App::start().await;
    let page = app.get("/docs", "").await;
    assert!(page.text.contains("swagger-ui"), "{}", page.text);
    assert!(app.get("/docs/swagger-initializer.js", "").await.text.contains("/openapi.json"));
    assert_eq!(app.get("/openapi.json", "").await.json()["openapi"], "3.1.0");
}

#[tokio::test]
async fn metrics_have_a_listener_of_their_own() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let app = App::start_with(&[("METRICS_ADDRESS", &free.to_string())]).await;
    app.run(&app.admin().await, "say hi").await;
    let metrics =
        reqwest::get(format!("http://{free}/metrics")).await.unwrap().text().await.unwrap();
    for expected in [
        r#"crucible_http_requests_total{method="POST",route="/v1/code_interpreter/run",status="200"}"#,
        r#"crucible_executions_total{language="python",status="succeeded"}"#,
        "crucible_worker_up 1",
        r#"crucible_worker_inventory{kind="sandboxes",source="worker"} 8"#,
        r#"crucible_worker_inventory{kind="sandboxes",source="kernel"} 9"#,
    ] {
        assert!(metrics.contains(expected), "{expected} in {metrics}");
    }
    assert_eq!(app.get("/metrics", "").await.status, StatusCode::NOT_FOUND);
    app.worker.kill();
    let alone = reqwest::get(format!("http://{free}/metrics")).await.unwrap().text().await.unwrap();
    assert!(alone.contains("crucible_worker_up 0"), "{alone}");
    assert!(
        !alone.contains("crucible_worker_inventory"),
        "no figures of a worker that is gone: {alone}"
    );
}

#[tokio::test]
async fn the_address_in_use_is_written_where_it_was_asked_for() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("address");
    let app = App::start_with(&[("ADDRESS_FILE", file.to_str().unwrap())]).await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), app.address.to_string());
}

#[tokio::test]
async fn whatever_can_be_had_can_be_asked_for_its_head() {
    let app = App::start().await;
    let admin = app.admin().await;
    let id = app.run(&admin, "say hi").await.json()["execution_id"].as_str().unwrap().to_owned();
    for row in rest::public().iter().chain(&rest::protected()) {
        if row.method.as_str() != "GET" {
            continue;
        }
        let path = row.path.replace("{id}", &id).replace("{stream}", "stdout");
        let got = app.get(&path, &admin).await;
        let head = app.send(Method::HEAD, &path, &admin, &[], None).await;
        assert_eq!(head.status, got.status, "{path}");
        assert_eq!(head.headers.get("content-type"), got.headers.get("content-type"), "{path}");
        let is_stream = row.path.ends_with("/events");
        let has_length = head.headers.contains_key("content-length");
        assert!((has_length || is_stream) && head.text.is_empty(), "{path}");
    }
    let mut raw = Raw::connect(&app).await;
    raw.send("HEAD /livez HTTP/1.1\r\nhost: x\r\n\r\nGET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await;
    // The next answer begins where the body would have stood.
    let answer = raw.answer().await.unwrap();
    assert!(answer.status == 200 && answer.body.starts_with("HTTP/1.1 200"), "{answer:?}");
}

#[tokio::test]
async fn a_preflight_that_is_refused_is_a_problem() {
    let app = App::start_with(&[("CORS_ORIGINS", "https://app.example")]).await;
    let headers = [("origin", "https://app.example"), ("access-control-request-method", "PATCH")];
    let path = "/v1/code_interpreter/run";
    let answer = app.send(Method::OPTIONS, path, "", &headers, None).await;
    assert_eq!((answer.status.as_u16(), &*answer.code()), (400, "preflight_refused"));
}
