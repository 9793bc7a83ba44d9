use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::scene::{Scene, connect, read_until};
use crate::broker::WayOut;

/// What is answered to a request for `name`, and the connection.
async fn ask(way_out: &WayOut, kind_and_host: &[u8], port: u16) -> (u8, tokio::net::TcpStream) {
    let mut program = connect(way_out).await;
    program.write_all(&[5, 2, 1, 0]).await.expect("it listens");
    let mut chosen = [0; 2];
    program.read_exact(&mut chosen).await.expect("an answer");
    assert_eq!(chosen, [5, 0]);
    let request = [&[5, 1, 0], kind_and_host, &port.to_be_bytes()].concat();
    program.write_all(&request).await.expect("it listens");
    let mut reply = [0; 10];
    program.read_exact(&mut reply).await.expect("an answer");
    (reply[1], program)
}

fn name(text: &str) -> Vec<u8> {
    [&[3, u8::try_from(text.len()).expect("short")], text.as_bytes()].concat()
}

#[tokio::test]
async fn names_are_connected_to_as_by_a_tunnel() {
    let scene = Scene::usual().await;
    let way_out = scene.open_usual().await;
    let (reply, mut program) = ask(&way_out, &name("SERVER.test"), scene.server).await;
    assert_eq!(reply, 0);
    program.write_all(b"ping").await.expect("open");
    assert_eq!(read_until(&mut program, b"ping").await, b"ping");
    for (host, port) in [
        (name("other.test"), 443),
        (name("server.test"), 443),
        (name("127.1"), scene.server),
        (name("server.test\r\nX: y"), scene.server),
        (name(""), scene.server),
        (vec![1, 127, 0, 0, 1], scene.server),
        ([&[4][..], &[0; 15], &[1]].concat(), scene.server),
        (name("server.test"), 0),
    ] {
        assert_eq!(ask(&way_out, &host, port).await.0, 2, "{host:?}:{port}");
    }
}

#[tokio::test]
async fn only_connections_without_authentication_are_made() {
    let scene = Scene::usual().await;
    let way_out = scene.open_usual().await;
    let mut program = connect(&way_out).await;
    program.write_all(&[5, 1, 2]).await.expect("it listens");
    assert_eq!(read_until(&mut program, &[255]).await, [5, 255]);
    // BIND and UDP ASSOCIATE.
    for command in [2, 3] {
        let mut program = connect(&way_out).await;
        program.write_all(&[5, 1, 0]).await.expect("it listens");
        assert_eq!(read_until(&mut program, &[0]).await, [5, 0]);
        let request =
            [&[5, command, 0][..], &name("server.test"), &scene.server.to_be_bytes()].concat();
        program.write_all(&request).await.expect("it listens");
        let mut reply = [0; 10];
        program.read_exact(&mut reply).await.expect("an answer");
        assert_eq!(reply[1], 7);
    }
}
