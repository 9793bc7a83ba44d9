//! A broker, a way out of it, and a server that may be reached by it.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::broker::process::serve;
use crate::broker::{Broker, Log, WayOut};
use crate::network::{Mode, Operator, Pattern, Policy};
use crate::sandbox::linux::{Packets, socket_pair};

/// So long that only a test that hangs meets it.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Scene {
    pub broker: Broker,
    pub server: u16,
    _tasks: JoinSet<()>,
}

pub fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().map(|text| text.parse().expect("a pattern")).collect()
}

impl Scene {
    /// The operator allows `allow`, with `{}` for the server's port, and says that all of `private` are on this
    /// machine.
    pub async fn new(allow: &[&str], private: &[&str]) -> Self {
        let mut tasks = JoinSet::new();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let server = listener.local_addr().expect("bound").port();
        tasks.spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                tokio::spawn(mirror(stream));
            }
        });
        let allow = with_port(allow, server);
        let private = private.iter().map(|text| text.parse().expect("a host")).collect();
        let operator = Operator { allow, private };
        let (ours, theirs) = socket_pair().expect("a pair");
        tasks.spawn(async move {
            serve(Packets::new(theirs).expect("a socket"), operator).await.expect("no fault");
        });
        Self { broker: Broker::new(ours).expect("a socket"), server, _tasks: tasks }
    }

    /// In which the server may be reached by its name.
    pub async fn usual() -> Self {
        Self::new(&["server.test:{}"], &["server.test=127.0.0.1"]).await
    }

    pub fn allowing(&self, allow: &[&str]) -> Policy {
        Policy { mode: Mode::Allow, allow: with_port(allow, self.server), ..Policy::none() }
    }

    /// A way out, as a sandbox has it but for its loopback.
    pub async fn open(&self, policy: Policy) -> WayOut {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("bound").port();
        self.broker.ready().await.expect("a broker");
        self.broker.open((listener.into(), port), policy).expect("a broker")
    }

    /// A way to the server and nothing else.
    pub async fn open_usual(&self) -> WayOut {
        self.open(self.allowing(&["server.test:{}"])).await
    }

    /// `text` with the server's port for `{}`.
    pub fn text(&self, text: &str) -> String {
        text.replace("{}", &self.server.to_string())
    }
}

fn with_port(texts: &[&str], port: u16) -> Vec<Pattern> {
    let texts = texts.iter().map(|text| text.replace("{}", &port.to_string()));
    texts.map(|text| text.parse().expect("a pattern")).collect()
}

/// Tells of requests what came, and of anything else gives it back.
async fn mirror(mut stream: TcpStream) {
    let mut seen = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let Ok(count) = stream.read(&mut piece).await else { return };
        if count == 0 {
            return;
        }
        seen.extend_from_slice(&piece[..count]);
        let is_http = seen.starts_with(b"GET ") || seen.starts_with(b"POST ");
        if !is_http {
            if stream.write_all(&seen).await.is_err() {
                return;
            }
            seen.clear();
        } else if seen.windows(4).any(|end| end == b"\r\n\r\n") {
            let head = format!(
                "HTTP/1.1 200 OK\r\nX-Server: yes\r\nContent-Length: {}\r\n\r\n",
                seen.len()
            );
            let _ = stream.write_all(&[head.as_bytes(), &seen].concat()).await;
            seen.clear();
        }
    }
}

/// A program that connects to `way_out`.
pub async fn connect(way_out: &WayOut) -> TcpStream {
    TcpStream::connect(("127.0.0.1", way_out.port())).await.expect("a listening socket")
}

/// Sends `request` and nothing more, and gives all that comes until the end.
pub async fn ask(way_out: &WayOut, request: impl AsRef<[u8]>) -> String {
    let mut program = connect(way_out).await;
    program.write_all(request.as_ref()).await.expect("it listens");
    program.shutdown().await.expect("open");
    read_to_end(&mut program).await
}

pub async fn read_to_end(program: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, program.read_to_end(&mut answer)).await.expect("an end");
    // Some ends are abrupt.
    let _ = read;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads until `end` has come.
pub async fn read_until(program: &mut TcpStream, end: &[u8]) -> Vec<u8> {
    let mut seen = Vec::new();
    let reading = async {
        while !seen.ends_with(end) {
            seen.push(program.read_u8().await.expect("more"));
        }
    };
    timeout(PATIENCE, reading).await.expect("it comes");
    seen
}

/// The log, once it has `count` records.
pub async fn log_of(way_out: &WayOut, count: usize) -> Log {
    let waiting = async {
        loop {
            let log = way_out.log();
            if log.records.len() >= count {
                return log;
            }
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("records")
}
