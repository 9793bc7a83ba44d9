use tokio::io::AsyncWriteExt;

use super::scene::{Scene, ask, connect, log_of, read_to_end, read_until};
use crate::network::{Method, Policy, Verdict};

#[tokio::test]
async fn a_plain_request_goes_where_it_is_allowed_to() {
    let scene = Scene::usual().await;
    let way_out = scene.open_usual().await;
    let answer = ask(
        &way_out,
        scene.text(
            "GET http://server.test:{}/path?q=1 HTTP/1.1\r\nHost: other.test\r\nX-Own: 1\r\n\
             Proxy-Authorization: secret\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\n\r\n",
        ),
    )
    .await;
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("X-Server: yes"),
        "{answer}"
    );
    let seen = answer.split("\r\n\r\n").nth(1).expect("a body");
    assert!(seen.starts_with("GET /path?q=1 HTTP/1.1\r\n"), "{answer}");
    // What it says beside its address counts for nothing, and what is between two stays between two.
    assert!(seen.to_lowercase().contains(&scene.text("host: server.test:{}")), "{answer}");
    assert!(seen.contains("X-Own: 1"), "{answer}");
    for hidden in ["other.test", "secret", "X-Hop"] {
        assert!(!seen.contains(hidden), "{answer}");
    }
    let log = log_of(&way_out, 1).await;
    let record = &log.records[0];
    assert_eq!((&*record.host, record.port), ("server.test", scene.server));
    assert_eq!(record.verdict, Verdict::Allowed);
    assert!(record.sent > 20 && record.received > 20, "{record:?}");
}

#[tokio::test]
async fn a_tunnel_passes_everything_on() {
    let scene = Scene::usual().await;
    let way_out = scene.open_usual().await;
    let mut program = connect(&way_out).await;
    let request = scene.text("CONNECT Server.TEST.:{} HTTP/1.1\r\nHost: x\r\n\r\nearly");
    program.write_all(request.as_bytes()).await.expect("it listens");
    let head = read_until(&mut program, b"\r\n\r\n").await;
    assert!(head.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&head));
    assert_eq!(read_until(&mut program, b"early").await, b"early");
    program.write_all(&[0, 255, 7]).await.expect("open");
    assert_eq!(read_until(&mut program, &[7]).await, [0, 255, 7]);
    drop(program);
    let log = log_of(&way_out, 1).await;
    assert_eq!((log.records[0].sent, log.records[0].received), (8, 8));
}

#[tokio::test]
async fn what_is_not_allowed_is_refused_by_name() {
    let scene = Scene::usual().await;
    let way_out = scene.open_usual().await;
    for (request, name) in [
        (
            "GET http://other.test/ HTTP/1.1\r\nHost: server.test\r\n\r\n",
            "other.test:80 (not_allowed)",
        ),
        (
            "GET http://server.test/ HTTP/1.1\r\nHost: server.test:{}\r\n\r\n",
            "server.test:80 (not_allowed)",
        ),
        (
            "CONNECT other.test:443 HTTP/1.1\r\nHost: server.test\r\n\r\n",
            "other.test:443 (not_allowed)",
        ),
        (
            "CONNECT server.test:22 HTTP/1.1\r\nHost: server.test\r\n\r\n",
            "server.test:22 (not_allowed)",
        ),
        (
            "CONNECT 127.0.0.1:{} HTTP/1.1\r\nHost: server.test\r\n\r\n",
            "127.0.0.1:{} (not_allowed)",
        ),
        ("CONNECT [::1]:{} HTTP/1.1\r\nHost: server.test\r\n\r\n", "[::1]:{} (not_allowed)"),
    ] {
        let answer = ask(&way_out, scene.text(request)).await;
        let first = scene.text(&format!("HTTP/1.1 403 Forbidden by network policy: {name}\r\n"));
        assert!(answer.starts_with(&first), "{request}: {answer}");
        assert!(answer.contains("can be changed by"), "{answer}");
    }
    let log = log_of(&way_out, 6).await;
    assert!(
        log.records.iter().all(|it| it.verdict == Verdict::Refused(String::from("not_allowed")))
    );
}

#[tokio::test]
async fn what_is_no_request_of_a_proxy_goes_nowhere() {
    let scene = Scene::usual().await;
    let way_out = scene.open_usual().await;
    for request in [
        "GET / HTTP/1.1\r\nHost: server.test:{}\r\n\r\n",
        "GET https://server.test:{}/ HTTP/1.1\r\nHost: server.test\r\n\r\n",
        "GET http://user@server.test:{}/ HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET http://server.test%2e:{}/ HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET http://127.1:{}/ HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET http://0x7f000001:{}/ HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET http://2130706433:{}/ HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET http://server.test:/ HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET http://server.test:0/ HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET http://server.test:99999/ HTTP/1.1\r\nHost: x\r\n\r\n",
        "CONNECT server.test HTTP/1.1\r\nHost: x\r\n\r\n",
        "CONNECT server.test:{}@other.test:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        "CONNECT http://server.test:{}/ HTTP/1.1\r\nHost: x\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\x16\x03\x01\x02\x00\r\n\r\n",
        "GET http://server.test:{}/ HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n",
        "GET http://server.test:{}/\u{1}x HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        let mut program = connect(&way_out).await;
        program.write_all(scene.text(request).as_bytes()).await.expect("it listens");
        program.shutdown().await.expect("open");
        let answer = read_to_end(&mut program).await;
        assert!(!answer.contains("X-Server") && !answer.contains(" 200 "), "{request:?}: {answer}");
    }
}

#[tokio::test]
async fn two_lengths_of_one_body_do_not_smuggle_a_request() {
    let scene = Scene::usual().await;
    let way_out = scene.open_usual().await;
    for lengths in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 100",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding : chunked",
        "Content-Length: 5\r\nContent-Length: 50",
        "Content-Length: +5",
    ] {
        let request = format!(
            "POST http://server.test:{}/ HTTP/1.1\r\nHost: x\r\n{lengths}\r\n\r\n0\r\n\r\n\
             GET http://other.test/smuggled HTTP/1.1\r\nHost: other.test\r\n\r\n",
            scene.server
        );
        let mut program = connect(&way_out).await;
        program.write_all(request.as_bytes()).await.expect("it listens");
        program.shutdown().await.expect("open");
        let answer = read_to_end(&mut program).await;
        // Where it is taken for two requests, both are checked.
        let mirrored = answer.split("HTTP/1.1 ").filter(|part| part.contains("X-Server"));
        let twice =
            mirrored.filter(|part| part.contains("other.test") || part.contains("smuggled"));
        assert_eq!(twice.count(), 0, "{lengths}: {answer}");
        let both = answer.contains("Transfer-Encoding") && answer.contains("Content-Length: 100");
        assert!(!both, "{lengths}: {answer}");
    }
}

#[tokio::test]
async fn each_request_of_a_connection_is_checked() {
    let scene = Scene::usual().await;
    let get = vec![Method::parse("GET").expect("a method")];
    let host = scene.text("server.test:{}").parse().expect("a pattern");
    let policy = Policy { methods: vec![(host, get)], ..scene.allowing(&["server.test:{}"]) };
    let way_out = scene.open(policy).await;
    let one = "GET http://server.test:{}/1 HTTP/1.1\r\nHost: x\r\n\r\n";
    let post = "POST http://server.test:{}/2 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
    let last = "GET http://other.test/3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answer = ask(&way_out, scene.text(&format!("{one}{one}{post}{last}"))).await;
    let statuses: Vec<_> =
        answer.split("HTTP/1.1 ").skip(1).filter_map(|part| part.get(..3)).collect();
    let proper: Vec<_> = statuses.into_iter().filter(|it| it.parse::<u16>().is_ok()).collect();
    assert_eq!(proper, ["200", "200", "403", "403"], "{answer}");
    assert!(answer.contains("(method)") && answer.contains("(not_allowed)"), "{answer}");
    let tunnel =
        ask(&way_out, scene.text("CONNECT server.test:{} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
    assert!(tunnel.contains("403") && tunnel.contains("(tunnel)"), "{tunnel}");
}
