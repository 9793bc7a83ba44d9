//! More of something than anybody needs: headers, bytes of a path, connections, sign-ins.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{App, NEVER, Raw};

#[tokio::test]
async fn too_many_or_too_long_headers_are_refused() {
    let app = App::start().await;
    let many: String = (0..5000).map(|number| format!("x-{number}: y\r\n")).collect();
    let same = "x-same: y\r\n".repeat(5000);
    let long = format!("x-long: {}\r\n", "y".repeat(2 << 20));
    let name = format!("{}: y\r\n", "x".repeat(2 << 20));
    for headers in [many, same, long, name] {
        let mut raw = Raw::connect(&app).await;
        raw.send(format!("GET /livez HTTP/1.1\r\nhost: x\r\n{headers}\r\n")).await;
        // The connection may be reset before the answer is read.
        if let Some(answer) = raw.answer().await {
            assert!((400..500).contains(&answer.status), "{answer:?}");
        }
    }
    assert_eq!(app.get("/livez", "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_head_without_an_end_is_cut_off_by_its_size() {
    let app = App::start().await;
    let mut raw = Raw::connect(&app).await;
    raw.send("GET /livez HTTP/1.1\r\nx: ").await;
    let mut sent = 0;
    while sent < (64 << 20) && raw.send([b'y'; 64 << 10]).await {
        sent += 64 << 10;
    }
    assert!(sent < (16 << 20), "{sent} bytes of a head were taken");
}

#[tokio::test]
async fn huge_paths_queries_and_credentials_are_refused() {
    let app = App::start().await;
    let admin = app.admin().await;
    let huge = "x".repeat(60_000);
    let paths = [
        format!("/v1/{huge}"),
        format!("/v1/code_interpreter/sessions/ses_{huge}"),
        format!("/v1/code_interpreter/executions?cursor={huge}"),
        format!("/v1/code_interpreter/executions?{}", "a=1&".repeat(15_000)),
        format!("/{}", "%41".repeat(20_000)),
        format!("/v1{}", "/x".repeat(30_000)),
    ];
    for path in paths {
        let status = app.get(&path, &admin).await.status;
        assert!(status.is_client_error(), "{} {status}", &path[..40]);
    }
    assert_eq!(app.get("/v1/users/me", &huge).await.code(), "not_authenticated");
    let cookie = [("x-api-key", &*huge)];
    let answer = app.send(Method::GET, "/v1/users/me", "", &cookie, None).await;
    assert_eq!(answer.code(), "not_authenticated");
}

#[tokio::test]
async fn one_address_cannot_have_all_connections() {
    let app =
        App::start_with(&[("MAX_CONNECTIONS", "64"), ("MAX_CONNECTIONS_PER_ADDRESS", "16")]).await;
    let mut held = Vec::new();
    for _ in 0..40 {
        held.push(Raw::connect(&app).await);
    }
    let mut open = 0;
    for raw in &mut held {
        open += usize::from(!raw.ends(Duration::from_millis(200)).await);
    }
    assert!((8..=16).contains(&open), "{open} are open");
    drop(held);
    crate::support::eventually(async || {
        let mut raw = Raw::connect(&app).await;
        raw.send("GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await;
        (raw.answer().await?.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn when_all_connections_are_taken_the_idle_ones_make_room() {
    let limits = [("MAX_CONNECTIONS", "64"), ("MAX_CONNECTIONS_PER_ADDRESS", "0")];
    let app = App::start_with(&limits).await;
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(Raw::connect(&app).await);
    }
    // Far less than the ten seconds that a connection may take to say something.
    let answered = tokio::time::timeout(Duration::from_secs(8), async {
        let mut raw = Raw::connect(&app).await;
        raw.send("GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await;
        raw.answer().await.unwrap().status
    });
    assert_eq!(answered.await.expect("it has to wait until idle connections time out"), 200);
    drop(idle);
}

#[tokio::test]
async fn an_honest_caller_is_answered_among_thousands_of_idle_connections() {
    let app = App::start_with(&[("MAX_CONNECTIONS_PER_ADDRESS", "0")]).await;
    let token = app.admin().await;
    let mut idle = Vec::new();
    for _ in 0..2000 {
        idle.push(Raw::connect(&app).await);
    }
    for _ in 0..5 {
        // A connection of its own each time.
        let mut raw = Raw::connect(&app).await;
        raw.send(format!(
            "GET /v1/users/me HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n"
        ))
        .await;
        assert_eq!(raw.answer().await.unwrap().status, 200);
    }
    drop(idle);
}

#[tokio::test]
async fn a_body_without_end_is_cut_off_by_its_size_also_in_chunks_of_a_byte() {
    let app = App::start_with(&[
        ("MAX_BODY_BYTES", "65536"),
        ("REQUEST_HEAD_TIMEOUT", "1"),
        ("KEEP_ALIVE_TIMEOUT", "1"),
    ])
    .await;
    let token = app.admin().await;
    let mut raw = Raw::connect(&app).await;
    raw.send(format!(
        "POST /v1/code_interpreter/run HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    ))
    .await;
    let piece = "1\r\n \r\n".repeat(4096);
    let begun = Instant::now();
    // Once the gateway has closed its end, the kernel may take no more and say nothing for a minute.
    let patience = Duration::from_secs(5);
    while matches!(tokio::time::timeout(patience, raw.send(&piece)).await, Ok(true)) {
        assert!(begun.elapsed() < NEVER, "it is read for ever");
    }
    if let Some(answer) = raw.answer().await {
        assert_eq!(answer.status, 413, "{answer:?}");
    }
    assert!(raw.ends(NEVER).await);
}

#[tokio::test]
async fn no_header_hides_who_guesses_passwords() {
    let app = App::start().await;
    let mut limited = 0;
    for number in 0..130 {
        let claimed = format!("192.0.2.{number}");
        let headers = [
            ("x-forwarded-for", &*claimed),
            ("x-real-ip", &claimed),
            ("forwarded", &format!("for={claimed}")),
            ("cf-connecting-ip", &claimed),
        ];
        let guess = json!({"username": format!("name-{number}"), "password": ""}).to_string();
        // An empty password is refused before it is counted, so that this test need not hash.
        let answer = app.send(Method::POST, "/v1/auth/token", "", &headers, Some(guess)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        let guess = json!({"username": "Admin", "password": "wrong"}).to_string();
        if number < 12 {
            let answer = app.send(Method::POST, "/v1/auth/token", "", &headers, Some(guess)).await;
            limited += usize::from(answer.status == StatusCode::TOO_MANY_REQUESTS);
        }
    }
    assert_eq!(limited, 2, "ten guesses at one name, whoever they claim to be");
    for name in ["admin", "ADMIN", "aDmIn"] {
        let guess = json!({"username": name, "password": "wrong"});
        assert_eq!(app.post("/v1/auth/token", "", guess).await.code(), "too_many_attempts");
    }
    for name in ["ａdmin", "admin\u{0}", "admin ", "adm\u{131}n", "\u{212a}admin"] {
        let guess = json!({"username": name, "password": "wrong"});
        assert_eq!(app.post("/v1/auth/token", "", guess).await.code(), "validation_failed");
    }
}

#[tokio::test]
async fn a_flood_of_sign_ins_leaves_time_for_those_who_are_signed_in() {
    let app = App::start().await;
    let token = app.admin().await;
    let tries = (0..60).map(|number| {
        let guess = json!({"username": format!("name-{number}"), "password": "wrong"});
        async { app.post("/v1/auth/token", "", guess).await.status }
    });
    let work = async {
        for _ in 0..20 {
            assert_eq!(app.run(&token, "say hi").await.status, StatusCode::OK);
        }
    };
    let (answers, ()) = futures::join!(futures::future::join_all(tries), work);
    let allowed = [401, 429, 503];
    assert!(answers.iter().all(|status| allowed.contains(&status.as_u16())), "{answers:?}");
}
