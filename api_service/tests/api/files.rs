//! Files of sessions, as callers see them.

use proto::wire::{FILE_PIECE_BYTES, reason};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, App, eventually};

/// A session of a user's.
struct Scene {
    app: App,
    token: String,
    base: String,
}

impl Scene {
    async fn new() -> Self {
        let app = App::start().await;
        let token = app.user("ann").await;
        let session = json!({"language": "python"});
        let made = app.post("/v1/code_interpreter/sessions", &token, session).await.json();
        let id = made["session_id"].as_str().unwrap();
        let base = format!("/v1/code_interpreter/sessions/{id}/files");
        Self { app, token, base }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Answer {
        let path = format!("{}{path}", self.base);
        self.app.send(method, &path, &self.token, headers, body.map(str::to_owned)).await
    }

    async fn put(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let plain = [("content-type", "text/plain")];
        self.send(Method::PUT, path, &[&plain, headers].concat(), Some(body)).await
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(Method::GET, path, headers, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, &[], Some(&body.to_string())).await
    }
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_file_comes_back_as_it_went() {
    let scene = Scene::new().await;
    let made = scene.put("/a%20b/%C3%A4.html", &[], "<script>").await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    assert_eq!(made.json()["path"], "a b/ä.html");
    let tag = header(&made, "etag").to_owned();
    assert_eq!(made.json()["etag"], tag);
    let found = scene.get("/a%20b/%C3%A4.html", &[]).await;
    assert_eq!((found.status.as_u16(), &*found.text), (200, "<script>"));
    assert_eq!(header(&found, "etag"), tag);
    assert_eq!(header(&found, "content-type"), "application/octet-stream");
    assert_eq!(header(&found, "x-content-type-options"), "nosniff");
    assert!(header(&found, "content-security-policy").starts_with("sandbox;"));
    let disposition = "attachment; filename=\"_.html\"; filename*=UTF-8''%C3%A4.html";
    assert_eq!(header(&found, "content-disposition"), disposition);
    let head = scene.send(Method::HEAD, "/a%20b/%C3%A4.html", &[], None).await;
    assert_eq!((header(&head, "content-length"), header(&head, "etag")), ("8", &*tag));
    let again = scene.put("/a%20b/%C3%A4.html?append=true", &[], "more").await;
    assert_eq!((again.status.as_u16(), &again.json()["size"]), (200, &json!(12)));
    let gone = scene.send(Method::DELETE, "/a%20b/%C3%A4.html", &[], None).await;
    assert_eq!((gone.status.as_u16(), &*gone.text), (204, ""));
    assert_eq!(scene.get("/a%20b/%C3%A4.html", &[]).await.code(), "file_not_found");
}

#[tokio::test]
async fn ranges_and_conditions() {
    let scene = Scene::new().await;
    let tag = header(&scene.put("/f", &[], "0123456789").await, "etag").to_owned();
    let part = scene.get("/f", &[("range", "bytes=2-4")]).await;
    assert_eq!((part.status.as_u16(), &*part.text), (206, "234"));
    assert_eq!(header(&part, "content-range"), "bytes 2-4/10");
    let beyond = scene.get("/f", &[("range", "bytes=10-")]).await;
    assert_eq!(beyond.code(), "range_not_satisfiable");
    assert_eq!(header(&beyond, "content-range"), "bytes */10");
    let weak = format!("W/{tag}");
    for (headers, status, text) in [
        (vec![("if-none-match", &*tag)], 304, ""),
        (vec![("if-none-match", &weak)], 304, ""),
        (vec![("if-none-match", "\"x\", \"y\"")], 200, "0123456789"),
        (vec![("if-match", &tag)], 200, "0123456789"),
        (vec![("range", "bytes=-2"), ("if-range", &tag)], 206, "89"),
        (vec![("range", "bytes=-2"), ("if-range", "\"other\"")], 200, "0123456789"),
        (
            vec![("range", "bytes=-2"), ("if-range", "Wed, 21 Oct 2015 07:28:00 GMT")],
            200,
            "0123456789",
        ),
    ] {
        let found = scene.get("/f", &headers).await;
        assert_eq!((found.status.as_u16(), &*found.text), (status, text), "{headers:?}");
        assert_eq!(header(&found, "etag"), tag);
    }
    for headers in [[("if-match", "\"other\"")], [("if-match", &*weak)], [("if-none-match", "*")]] {
        let refused = scene.put("/f", &headers, "x").await;
        assert_eq!(
            (refused.status.as_u16(), &*refused.code()),
            (412, "file_changed"),
            "{headers:?}"
        );
    }
    assert_eq!(scene.put("/f", &[("if-match", &tag)], "x").await.status.as_u16(), 200);
    assert_eq!(scene.put("/new", &[("if-none-match", "*")], "x").await.status.as_u16(), 201);
    let refused = scene.put("/f", &[("if-match", "no tag")], "x").await;
    assert_eq!(refused.json()["errors"][0]["loc"], "if-match");
}

#[tokio::test]
async fn names_are_bytes_and_stay_in_the_workspace() {
    let scene = Scene::new().await;
    assert_eq!(scene.put("/%FF%0A", &[], "x").await.json()["encoding"], "percent");
    assert_eq!(scene.put("/a+b%25", &[], "y").await.json()["path"], "a+b%");
    let listed = scene.get("?depth=3&limit=5", &[]).await.json();
    let names: Vec<_> = listed["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["path"].as_str().unwrap(), entry["encoding"].as_str().unwrap()))
        .collect();
    assert_eq!(names, [("a+b%", "utf-8"), ("%FF%0A", "percent")]);
    assert_eq!(listed["entries"][0]["type"], "file");
    assert_eq!(listed["entries"][0]["mode"], "0644");
    assert_eq!(scene.get("/%ff%0a", &[]).await.text, "x");
    scene.put("/in/a", &[], "z").await;
    assert_eq!(scene.get("/in%2Fa", &[]).await.text, "z");
    let place = json!({"from": "%FF%0A", "to": "plain", "encoding": "percent"});
    assert_eq!(scene.post(":move", place).await.json()["path"], "plain");
    for path in ["/", "/a/", "/a//b", "/a%2f..%2fb", "/%00", "/%zz"] {
        let refused = scene.get(path, &[]).await;
        assert_eq!(
            (refused.status.as_u16(), &*refused.code()),
            (422, "validation_failed"),
            "{path}"
        );
        assert_eq!(refused.json()["errors"][0]["loc"], "path", "{path}");
    }
    for query in ["?path=../x", "?path=/etc", "?depth=0", "?limit=10001", "?other=1"] {
        assert_eq!(scene.get(query, &[]).await.code(), "validation_failed", "{query}");
    }
    let refused = scene.post(":mkdir", json!({"path": "/etc", "encoding": "latin"})).await;
    assert_eq!(refused.code(), "validation_failed");
    let refused = scene.post(":copy", json!({"from": "../a", "to": "b/"})).await.json();
    assert_eq!(refused["errors"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn each_problem_of_a_file_has_its_code() {
    let scene = Scene::new().await;
    for (word, status, code) in [
        (reason::FILE_NOT_FOUND, 404, "file_not_found"),
        (reason::FILE_IS_DIRECTORY, 409, "is_directory"),
        (reason::FILE_NO_DIRECTORY, 409, "not_a_directory"),
        (reason::FILE_SPECIAL, 409, "special_file"),
        (reason::FILE_EXISTS, 409, "file_exists"),
        (reason::FILE_NOT_EMPTY, 409, "directory_not_empty"),
        (reason::FILE_REFUSED, 409, "file_refused"),
        (reason::FILE_CHANGED, 412, "file_changed"),
        (reason::FILE_TOO_LARGE, 413, "file_too_large"),
        (reason::ARCHIVE_REFUSED, 422, "archive_refused"),
        (reason::FILES_BUSY, 429, "too_many_transfers"),
        (reason::DISK_FULL, 507, "disk_full"),
    ] {
        for (method, path) in [
            (Method::GET, "/f"),
            (Method::GET, ""),
            (Method::PUT, "/f"),
            (Method::DELETE, "/f"),
            (Method::GET, ".tar"),
            (Method::PUT, ".tar"),
            (Method::GET, ":watch"),
        ] {
            scene.app.worker.files.lock().failure = Some(word);
            let body = (method == Method::PUT).then_some("x");
            let refused = scene.send(method.clone(), path, &[], body).await;
            let found = (refused.status.as_u16(), refused.code());
            assert_eq!(found, (status, code.to_owned()), "{method} {path}");
        }
    }
    assert_eq!(scene.put("/f", &[], "too much").await.code(), "disk_full", "while it comes");
}

#[tokio::test]
async fn a_long_file_comes_and_goes_in_pieces() {
    let scene = Scene::new().await;
    let long: String = (0..300_000).map(|number| format!("{number:07} ")).collect();
    assert!(long.len() > 9 * FILE_PIECE_BYTES);
    assert_eq!(scene.put("/long", &[], &long).await.status.as_u16(), 201);
    assert!(scene.get("/long", &[]).await.text == long);
}

/// Whoever does not read is not sent to, and nothing piles up for him.
#[tokio::test]
async fn nothing_is_asked_for_that_nobody_reads() {
    let scene = Scene::new().await;
    let long = "x".repeat(64 << 20);
    assert_eq!(scene.put("/long", &[], &long).await.status.as_u16(), 201);
    let url = format!("http://{}{}/long", scene.app.address, scene.base);
    let answer = Client::new().get(url).bearer_auth(&scene.token).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    let asked = || scene.app.worker.files.lock().asked;
    let before = std::cell::Cell::new(u64::MAX);
    eventually(async || (asked() == before.replace(asked())).then_some(())).await;
    let all = long.len() / FILE_PIECE_BYTES;
    let before = before.get();
    assert!((before as usize) < all / 2, "{before} of {all} were asked for");
    // Others are served meanwhile.
    assert_eq!(scene.get("/long", &[("range", "bytes=0-3")]).await.text, "xxxx");
    drop(answer);
}

#[tokio::test]
async fn what_breaks_off_is_not_taken_for_the_whole() {
    let scene = Scene::new().await;
    let long = format!("{}break off", "x".repeat(FILE_PIECE_BYTES));
    scene.put("/f", &[], &long).await;
    let url = format!("http://{}{}/f", scene.app.address, scene.base);
    let answer = Client::new().get(url.clone()).bearer_auth(&scene.token).send().await.unwrap();
    assert!(answer.bytes().await.is_err());
    // And an upload that breaks off leaves nothing.
    let raw = format!(
        "PUT {}/half HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Length: 600000\r\n\r\n{}",
        scene.base,
        scene.token,
        "x".repeat(300_000)
    );
    let mut connection = tokio::net::TcpStream::connect(scene.app.address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut connection, raw.as_bytes()).await.unwrap();
    eventually(async || (scene.app.worker.files.lock().begun == 2).then_some(())).await;
    drop(connection);
    eventually(async || (scene.app.worker.files.lock().abandoned == 1).then_some(())).await;
    assert_eq!(scene.get("/half", &[]).await.code(), "file_not_found");
}

#[tokio::test]
async fn a_form_has_many_files() {
    let scene = Scene::new().await;
    let part = |name: &str, text: &str| {
        let names = format!("name=\"files\"; filename=\"{name}\"");
        format!("--b\r\nContent-Disposition: form-data; {names}\r\n\r\n{text}\r\n")
    };
    let form = |parts: &[String]| format!("{}--b--\r\n", parts.concat());
    let send = async |query: &str, form: String| {
        let kind = [("content-type", "multipart/form-data; boundary=b")];
        scene.send(Method::POST, query, &kind, Some(&form)).await
    };
    let sent =
        send("?path=in", form(&[part("one/x", "1"), part("two", ""), part("three", "333")])).await;
    let files = sent.json()["files"].clone();
    let paths: Vec<_> = files.as_array().unwrap().iter().map(|file| &file["path"]).collect();
    assert_eq!(paths, ["in/one/x", "in/two", "in/three"]);
    assert_eq!(scene.get("/in/three", &[]).await.text, "333");
    for (query, text) in [
        ("", form(&[])),
        ("", form(&[part("../x", "1")])),
        ("", form(&[part("/etc/x", "1")])),
        ("?path=in", form(&[part("/x", "1")])),
        ("", String::from("no form")),
    ] {
        let refused = send(query, text).await;
        assert!(matches!(refused.status.as_u16(), 400 | 422), "{}", refused.text);
        refused.code();
    }
    let refused = scene.send(Method::POST, "", &[], Some("{}")).await;
    assert_eq!(refused.code(), "unsupported_media_type");
    let cut = send("", part("cut", "off")).await;
    assert_eq!(cut.code(), "body_unreadable");
    assert_eq!(scene.get("/cut", &[]).await.code(), "file_not_found");
}

#[tokio::test]
async fn an_archive_and_a_watch_have_an_end() {
    let scene = Scene::new().await;
    let archive = scene.get(".tar?path=out/plots", &[]).await;
    assert_eq!(archive.text.len(), 1024);
    assert_eq!(header(&archive, "content-type"), "application/octet-stream");
    assert_eq!(header(&archive, "content-disposition"), "attachment; filename=\"plots.tar\"");
    let unpacked = scene.send(Method::PUT, ".tar", &[], Some("an archive")).await.json();
    assert_eq!(unpacked, json!({"files": 1, "directories": 0, "links": 0, "bytes": 10}));
    let told = scene.get(":watch?path=out", &[]).await;
    assert_eq!(header(&told, "content-type"), "text/event-stream");
    let expected = "id: 1\nevent: ready\ndata: {\"truncated\":false}\n\n\
         id: 2\nevent: created\ndata: {\"path\":\"out/%FF.png\",\"encoding\":\"percent\",\"type\":\"file\",\"size\":5}\n\n\
         id: 3\nevent: end\ndata: {\"reason\":\"session_ended\"}\n\n";
    assert_eq!(told.text, expected);
}

#[tokio::test]
async fn a_session_that_is_over_has_no_files() {
    let scene = Scene::new().await;
    scene.put("/f", &[], "x").await;
    scene.app.worker.end_sessions();
    assert_eq!(scene.get("/f", &[]).await.code(), "session_lost");
    // It is noted, and the worker is not asked again.
    let refused = scene.put("/f", &[], "x").await;
    assert_eq!((refused.status.as_u16(), &*refused.code()), (410, "session_lost"));
}
