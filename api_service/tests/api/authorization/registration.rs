//! No route is there that the tables do not know.

use reqwest::Method;

use crate::support::App;

/// Whatever is registered without the route table (the page to try the API) is listed
/// here: a new one must not go unnoticed.
#[test]
fn nothing_is_registered_past_the_table() {
    let table = include_str!("../../../src/http/rest/routes.rs");
    let registered: Vec<&str> = table
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("config.") && !line.contains("default_service"))
        .collect();
    assert_eq!(
        registered,
        [
            "config.service(resource);",
            "config.service(openapi::page());",
            r#"config.route("/docs", web::get().to(openapi::to_page));"#,
        ]
    );
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let elsewhere = crate::layers::sources(std::path::Path::new(sources));
    let elsewhere = elsewhere.iter().filter(|path| !path.ends_with("rest/routes.rs"));
    for path in elsewhere {
        let text = std::fs::read_to_string(path).unwrap();
        for word in [".service(", ".route(", ".configure(", "HttpServer::new", "#[actix_web::"] {
            let found = text.matches(word).count();
            let expected = match word {
                ".configure(" | "HttpServer::new" if path.ends_with("http/server.rs") => 2,
                // On the listener of its own.
                ".route(" if path.ends_with("metrics/mod.rs") => 1,
                _ => 0,
            };
            assert_eq!(found, expected, "{}: {word}", path.display());
        }
    }
}

/// The document that is published says of each route whether it takes a credential, and that is so.
#[tokio::test]
async fn public_routes_are_those_that_are_documented_as_such() {
    let app = App::start().await;
    let document = app.get("/openapi.json", "").await.json();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, about) in methods.as_object().unwrap() {
            let documented = about.get("security").is_some();
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let answer = app.send(method.clone(), path, "", &[], None).await;
            let asked = answer.status == 401;
            assert_eq!(documented, asked, "{method} {path}: {}", answer.status);
        }
    }
}
