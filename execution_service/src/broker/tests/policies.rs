use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::scene::{Scene, ask, connect, log_of, patterns, read_to_end, read_until};
use crate::network::{Method, Mode, Policy, Verdict};

fn tunnel(scene: &Scene, host: &str) -> String {
    format!("CONNECT {host}:{} HTTP/1.1\r\nHost: x\r\n\r\n", scene.server)
}

#[tokio::test]
async fn a_name_that_leads_into_a_private_network_is_refused() {
    // The operator says where it is, but not that it may be there: as a resolver that somebody else feeds.
    let scene = Scene::new(&["*", "*:{}", "127.0.0.1:{}"], &[]).await;
    let way_out = scene.open(scene.allowing(&["*:{}", "127.0.0.1:{}"])).await;
    for host in ["localhost", "localhost.", "127.0.0.1"] {
        let answer = ask(&way_out, tunnel(&scene, host)).await;
        // Where the resolver does not know the whole name, there is no connection either.
        let refused = answer.contains("(private_address)") || answer.contains("(no_such_name)");
        assert!(refused, "{host}: {answer}");
    }
    let numeric = ask(&way_out, tunnel(&scene, "127.0.0.1")).await;
    assert!(numeric.contains("403") && numeric.contains("EGRESS_PRIVATE_HOSTS"), "{numeric}");
}

#[tokio::test]
async fn nobody_goes_beyond_the_operator() {
    let scene = Scene::new(&["a.test:{}"], &["server.test=127.0.0.1"]).await;
    let way_out = scene.open(scene.allowing(&["server.test:{}"])).await;
    let answer = ask(&way_out, tunnel(&scene, "server.test")).await;
    assert!(answer.contains("(operator)") && answer.contains("EGRESS_ALLOW"), "{answer}");
}

#[tokio::test]
async fn another_policy_holds_at_once_and_for_what_is_there() {
    let scene = Scene::usual().await;
    let way_out = scene.open_usual().await;
    let mut program = connect(&way_out).await;
    program.write_all(tunnel(&scene, "server.test").as_bytes()).await.expect("it listens");
    read_until(&mut program, b"\r\n\r\n").await;
    program.write_all(b"a").await.expect("open");
    read_until(&mut program, b"a").await;

    // One that allows it as well changes nothing for it.
    let deny = patterns(&["other.test"]);
    way_out.change(Policy { deny, ..way_out.policy() }).expect("a broker");
    program.write_all(b"b").await.expect("open");
    read_until(&mut program, b"b").await;

    way_out.change(Policy { mode: Mode::None, ..way_out.policy() }).expect("a broker");
    assert_eq!(read_to_end(&mut program).await, "");
    let answer = ask(&way_out, tunnel(&scene, "server.test")).await;
    assert!(answer.contains("(off)"), "{answer}");
    let log = log_of(&way_out, 2).await;
    assert_eq!(log.records[0].verdict, Verdict::Cut(String::from("off")));

    way_out.change(scene.allowing(&["server.test:{}"])).expect("a broker");
    let answer = ask(&way_out, scene.text("GET http://server.test:{}/ HTTP/1.0\r\n\r\n")).await;
    assert!(answer.contains("200 OK"), "{answer}");
}

#[tokio::test]
async fn bytes_are_counted_and_limited() {
    let scene = Scene::usual().await;
    let policy = Policy { max_bytes: Some(100_000), ..scene.allowing(&["server.test:{}"]) };
    let way_out = scene.open(policy).await;
    let mut program = connect(&way_out).await;
    program.write_all(tunnel(&scene, "server.test").as_bytes()).await.expect("it listens");
    read_until(&mut program, b"\r\n\r\n").await;
    let piece = vec![b'x'; 10_000];
    let mut back = vec![0; piece.len()];
    let mut passed = 0;
    while program.write_all(&piece).await.is_ok() && program.read_exact(&mut back).await.is_ok() {
        passed += 2 * piece.len();
    }
    assert!((50_000..=200_000).contains(&passed), "{passed}");
    let answer = ask(&way_out, tunnel(&scene, "server.test")).await;
    assert!(answer.contains("(max_bytes)"), "{answer}");
    let log = log_of(&way_out, 2).await;
    assert_eq!(log.records[0].verdict, Verdict::Cut(String::from("max_bytes")));
}

#[tokio::test]
async fn connections_above_the_limit_wait() {
    let scene = Scene::usual().await;
    let policy = Policy { max_connections: 1, ..scene.allowing(&["server.test:{}"]) };
    let way_out = scene.open(policy).await;
    let mut first = connect(&way_out).await;
    first.write_all(tunnel(&scene, "server.test").as_bytes()).await.expect("it listens");
    read_until(&mut first, b"\r\n\r\n").await;
    // It is connected by the kernel, and served when the first is over.
    let second = tokio::spawn({
        let mut second = connect(&way_out).await;
        let request = tunnel(&scene, "server.test");
        async move {
            second.write_all(request.as_bytes()).await.expect("it listens");
            read_until(&mut second, b"\r\n\r\n").await
        }
    });
    first.write_all(b"still").await.expect("open");
    read_until(&mut first, b"still").await;
    assert!(!second.is_finished());
    drop(first);
    assert!(second.await.expect("no panic").starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn a_way_out_that_is_closed_takes_its_connections_along() {
    let scene = Scene::usual().await;
    let way_out = scene.open_usual().await;
    let other = scene.open_usual().await;
    let port = way_out.port();
    let mut tunnels = Vec::new();
    for way_out in [&way_out, &other] {
        let mut program = connect(way_out).await;
        program.write_all(tunnel(&scene, "server.test").as_bytes()).await.expect("it listens");
        read_until(&mut program, b"\r\n\r\n").await;
        tunnels.push(program);
    }
    let idle = connect(&way_out).await;
    drop(way_out);
    let [mut first, mut second] = <[_; 2]>::try_from(tunnels).expect("two");
    assert_eq!(read_to_end(&mut first).await, "");
    assert_eq!(read_to_end(&mut { idle }).await, "");
    second.write_all(b"x").await.expect("open");
    read_until(&mut second, b"x").await;
    let refused = async {
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), refused)
        .await
        .expect("nobody listens");
}

#[tokio::test]
async fn a_tunnel_is_cut_by_a_policy_that_would_not_have_let_it_be_made() {
    let scene = Scene::usual().await;
    let way_out = scene.open_usual().await;
    let mut program = connect(&way_out).await;
    program.write_all(tunnel(&scene, "server.test").as_bytes()).await.expect("it listens");
    read_until(&mut program, b"\r\n\r\n").await;
    let get = vec![Method::parse("GET").expect("a method")];
    let methods = patterns(&["server.test"]).into_iter().map(|host| (host, get.clone())).collect();
    way_out.change(Policy { methods, ..way_out.policy() }).expect("a broker");
    assert_eq!(read_to_end(&mut program).await, "");
    let log = log_of(&way_out, 1).await;
    assert_eq!(log.records[0].verdict, Verdict::Cut(String::from("tunnel")));
}

#[tokio::test]
async fn an_address_that_is_denied_is_not_reached_by_a_name() {
    let scene = Scene::usual().await;
    let deny = patterns(&["127.0.0.1"]);
    let way_out = scene.open(Policy { deny, ..scene.allowing(&["server.test:{}"]) }).await;
    let answer = ask(&way_out, tunnel(&scene, "server.test")).await;
    assert!(answer.contains("(denied)"), "{answer}");
}
