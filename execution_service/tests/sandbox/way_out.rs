//! The socket of a way out.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use execution_service::sandbox::backend::{Sandbox, SandboxError};

use super::{output_of, quiet, some_of};

const PORT: u16 = 3128;

pub async fn programs_find_what_listens_on_their_loopback(sandbox: &dyn Sandbox) {
    // User code has run before anything listens.
    let before = "ls /proc/self/fd; exec 5<>/dev/tcp/127.0.0.1/3128";
    assert_eq!(output_of(sandbox, before).await, "0\n1\n2\n3\n", "nothing more than before");

    let (socket, port) = sandbox.listen(PORT).await.expect("a socket");
    assert_eq!(port, PORT);
    let listener = std::net::TcpListener::from(socket);
    listener.set_nonblocking(true).expect("a socket");
    let listener = TcpListener::from_std(listener).expect("a listening socket");
    let script = "exec 5<>/dev/tcp/127.0.0.1/3128; echo asked >&5; cat <&5; ls /proc/self/fd";
    let mut program = sandbox.start(quiet(script)).await.expect("a process");
    let (mut stream, _) = listener.accept().await.expect("a connection");
    let mut asked = [0; 6];
    stream.read_exact(&mut asked).await.expect("open");
    assert_eq!(&asked, b"asked\n");
    stream.write_all(b"answered\n").await.expect("open");
    drop(stream);
    let mut said = String::new();
    loop {
        match some_of(&mut *program.stdout).await {
            more if more.is_empty() => break,
            more => said.push_str(&more),
        }
    }
    assert_eq!(said, "answered\n0\n1\n2\n3\n5\n");

    // It is not the host's loopback: what listens there, if anything, is not this.
    drop(TcpStream::connect(("127.0.0.1", PORT)).await);
    let waiting = std::future::poll_fn(|context| match listener.poll_accept(context) {
        std::task::Poll::Ready(_) => std::task::Poll::Ready(true),
        std::task::Poll::Pending => std::task::Poll::Ready(false),
    });
    assert!(!waiting.await, "somebody from outside");
    assert!(matches!(sandbox.listen(PORT).await, Err(SandboxError::Unsupported(_))), "once");
}
