//! What sessions and runs reach over the network: a server of the test's own, by name, and nothing else.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::crucible::{Crucible, needs};
use crate::processes::{descendants, signal, wait_until_gone};

const SESSIONS: &str = "/v1/code_interpreter/sessions";
const PATIENCE: Duration = Duration::from_secs(60);

/// A Crucible whose operator allows `server.test`, which is here, and `other.test`, which is nowhere.
struct Scene {
    crucible: Crucible,
    port: u16,
    _data: TempDir,
}

impl Scene {
    fn start() -> Self {
        Self::start_with("server.test:{},other.test,localhost:{},127.0.0.1:{},[::1]:{}")
    }

    fn start_with(allow: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("bound").port();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                std::thread::spawn(move || answer(stream));
            }
        });
        let data = TempDir::new().expect("a directory");
        let allow = allow.replace("{}", &port.to_string());
        let variables =
            [("EGRESS_ALLOW", &*allow), ("EGRESS_PRIVATE_HOSTS", "server.test=127.0.0.1")];
        let crucible = Crucible::start_in(data.path(), &variables);
        Self { crucible, port, _data: data }
    }

    /// `text` with the server's port for `{}`.
    fn text(&self, text: &str) -> String {
        text.replace("{}", &self.port.to_string())
    }

    fn policy(&self, allow: &[&str]) -> Value {
        json!({"allow": allow.iter().map(|host| self.text(host)).collect::<Vec<_>>()})
    }

    async fn run(&self, language: &str, code: &str, network: Value) -> Value {
        let body = json!({"language": language, "code": self.text(code), "timeout": 30, "network": network});
        self.crucible.run(body).await
    }

    async fn session(&self, network: Value) -> String {
        let body = json!({"language": "python", "network": network});
        let (status, made) = self.crucible.call(Method::POST, SESSIONS, Some(body)).await;
        assert_eq!(status, 201, "{made}");
        String::from(made["session_id"].as_str().expect("an id"))
    }

    async fn in_session(&self, id: &str, code: &str) -> Value {
        let body = json!({"language": "python", "code": self.text(code), "session_id": id});
        self.crucible.run(body).await
    }
}

/// Tells of a request what its first line was.
fn answer(mut stream: TcpStream) {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => seen.push(byte[0]),
            Ok(_) | Err(_) => return,
        }
    }
    let first = String::from_utf8_lossy(&seen).lines().next().unwrap_or_default().to_owned();
    let length = first.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(format!("{head}{first}").as_bytes());
}

/// With an opener of its own: the usual one is made once, and knows the variables of that time.
const FETCH: &str = "import urllib.request as u
print(u.build_opener().open('http://server.test:{}/x').read())";

#[tokio::test]
async fn a_run_reaches_what_its_policy_allows_and_nothing_else() {
    let scene = Scene::start();
    let allowed = scene.policy(&["server.test:{}"]);
    let run = scene.run("python", FETCH, allowed.clone()).await;
    assert_eq!(run["stdout"], "b'GET /x HTTP/1.1'\n", "{run}");

    for policy in [json!({"allow": []}), json!({"mode": "none"}), Value::Null] {
        let run = scene.run("python", FETCH, policy).await;
        assert_eq!(run["status"], "failed", "{run}");
    }
    let run = scene.run("python", FETCH, scene.policy(&["other.test"])).await;
    assert!(run["stderr"].as_str().is_some_and(|text| text.contains("403")), "{run}");
    let hint = run["diagnostic"]["hint"].as_str().unwrap_or_default();
    assert!(hint.contains(&scene.text("server.test:{} (not_allowed)")), "{run}");
    // This machine, by other names than the operator's.
    for host in ["localhost:{}", "127.0.0.1:{}", "[::1]:{}"] {
        let code = FETCH.replace("server.test:{}", host);
        let run = scene.run("python", &code, scene.policy(&[host])).await;
        assert_eq!(run["status"], "failed", "{run}");
        assert!(!run["stdout"].as_str().is_some_and(|text| text.contains("GET")), "{run}");
    }
}

/// Everything else that leads out of a sandbox leads nowhere, with a policy as without one.
#[tokio::test]
async fn the_proxy_is_the_only_way() {
    let scene = Scene::start();
    let code = r#"
import errno, os, socket
def attempt(what, *steps):
    try:
        for step in steps: step()
        print('ACHIEVED', what)
    except OSError as error:
        print('refused', what)
def tcp(family, address):
    return lambda: socket.socket(family, socket.SOCK_STREAM).connect(address)
attempt('host loopback', tcp(socket.AF_INET, ('127.0.0.1', {})))
attempt('internet', tcp(socket.AF_INET, ('192.0.2.1', 80)))
attempt('ipv6', tcp(socket.AF_INET6, ('2001:db8::1', 80)))
attempt('ipv6 loopback', tcp(socket.AF_INET6, ('::1', 3128)))
attempt('udp', lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53)))
attempt('icmp', lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attempt('ping', lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 1))
attempt('packet', lambda: socket.socket(17, socket.SOCK_RAW, 3))
attempt('vsock', lambda: socket.socket(40, socket.SOCK_STREAM))
attempt('names', lambda: socket.getaddrinfo('server.test', 80))
attempt('the port of the way out', lambda: socket.socket().bind(('127.0.0.1', 3128)))
attempt('every address at that port', lambda: socket.socket().bind(('', 3128)))
def shared():
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, 15, 1)
    one.bind(('127.0.0.1', 3128))
attempt('beside it', shared)
sockets = [os.readlink(f'/proc/self/fd/{fd}') for fd in os.listdir('/proc/self/fd') if os.path.islink(f'/proc/self/fd/{fd}')]
print([name for name in sockets if name.startswith('socket:')])
"#;
    let run = scene.run("python", code, scene.policy(&["server.test:{}"])).await;
    let stdout = run["stdout"].as_str().unwrap_or_default();
    assert_eq!(run["status"], "succeeded", "{run}");
    assert!(!stdout.contains("ACHIEVED") && stdout.ends_with("[]\n"), "{stdout}");
    assert_eq!(stdout.matches("refused").count(), 13, "{stdout}");
}

#[tokio::test]
async fn the_programs_of_every_language_find_it() {
    let scene = Scene::start();
    if needs("curl", "the_programs_of_every_language_find_it").is_none() {
        return;
    }
    let code = "curl -sS http://server.test:{}/plain; echo; curl -sSp http://server.test:{}/tunnel; echo
curl -sS -x socks5h://127.0.0.1:3128 http://server.test:{}/socks; echo
curl -sS -p https://other.test/ 2>&1; curl -sS -o /dev/null -w '%{http_code}\\n' http://127.0.0.1:1/ 2>&1";
    let run = scene.run("bash", code, scene.policy(&["server.test:{}"])).await;
    let stdout = run["stdout"].as_str().unwrap_or_default();
    for part in ["GET /plain HTTP/1.1\n", "GET /tunnel HTTP/1.1\n", "GET /socks HTTP/1.1\n", "403"]
    {
        assert!(stdout.contains(part), "{part}: {stdout}");
    }
}

#[tokio::test]
async fn a_session_that_runs_gets_a_network_and_loses_it_again() {
    let scene = Scene::start();
    let id = scene.session(Value::Null).await;
    let path = format!("{SESSIONS}/{id}/network");
    // The interpreter is older than the policy, and a program has taken the usual port.
    let taken =
        "import socket; one = socket.socket(); one.bind(('127.0.0.1', 3128)); one.listen(); x = 7";
    assert_eq!(scene.in_session(&id, taken).await["status"], "succeeded");
    assert_eq!(scene.in_session(&id, FETCH).await["status"], "failed");

    let body = Some(scene.policy(&["server.test:{}"]));
    let (status, told) = scene.crucible.call(Method::PATCH, &path, body).await;
    assert_eq!((status, &told["mode"]), (200, &json!("allow")), "{told}");
    let run = scene.in_session(&id, &format!("{FETCH}\nprint(x)")).await;
    assert_eq!(run["stdout"], "b'GET /x HTTP/1.1'\n7\n", "{run}");
    let command = json!({"command": ["python3", "-c", scene.text(FETCH)]});
    let processes = format!("{SESSIONS}/{id}/processes");
    let (_, command) = scene.crucible.call(Method::POST, &processes, Some(command)).await;
    assert_eq!(command["stdout"], "b'GET /x HTTP/1.1'\n", "{command}");

    let off = Some(json!({"mode": "none"}));
    assert_eq!(scene.crucible.call(Method::PATCH, &path, off).await.0, 200);
    let run = scene.in_session(&id, FETCH).await;
    assert!(run["diagnostic"]["hint"].as_str().is_some_and(|text| text.contains("(off)")), "{run}");

    let (_, log) = scene.crucible.call(Method::GET, &format!("{path}/log"), None).await;
    let verdicts: Vec<_> =
        log["connections"].as_array().into_iter().flatten().map(|one| &one["verdict"]).collect();
    assert_eq!(verdicts, ["allowed", "allowed", "refused"], "{log}");
    let beyond = Some(json!({"allow": ["elsewhere.test"]}));
    let (status, refused) = scene.crucible.call(Method::PATCH, &path, beyond).await;
    assert_eq!((status, &refused["code"]), (403, &json!("network_refused")), "{refused}");
}

#[tokio::test]
async fn a_broker_that_is_killed_is_replaced_and_ends_with_the_worker() {
    let mut scene = Scene::start();
    let id = scene.session(scene.policy(&["server.test:{}"])).await;
    assert_eq!(scene.in_session(&id, FETCH).await["status"], "succeeded");
    let broker = broker_of(scene.crucible.pid()).expect("it runs");
    let status = std::fs::read_to_string(format!("/proc/{broker}/status")).expect("it runs");
    for line in
        ["CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"]
    {
        assert!(status.contains(line), "{line}: {status}");
    }
    signal(broker, Signal::KILL);
    wait_until_gone(&[broker]);
    // What does not need it goes on meanwhile, and it comes back.
    assert_eq!(scene.in_session(&id, "1 + 1").await["status"], "succeeded");
    assert_eq!(scene.in_session(&id, FETCH).await["status"], "succeeded");
    let next = broker_of(scene.crucible.pid()).expect("another one runs");
    assert_ne!(next, broker);

    let worker = scene.crucible.service("worker");
    let processes = descendants(worker);
    assert!(processes.contains(&next));
    signal(worker, Signal::KILL);
    wait_until_gone(&processes);
    scene.crucible.stop();
}

#[tokio::test]
async fn without_hosts_that_are_allowed_there_is_no_broker() {
    let crucible = Crucible::shared();
    assert_eq!(broker_of(crucible.pid()), None);
    let body = json!({"network": {"allow": ["example.com"]}});
    let (status, refused) = crucible.call(Method::POST, SESSIONS, Some(body)).await;
    assert_eq!((status, &refused["code"]), (403, &json!("network_refused")), "{refused}");
    let code = "import socket\nsocket.create_connection(('127.0.0.1', 3128))";
    let run = crucible.run(json!({"language": "python", "code": code})).await;
    assert_eq!(run["diagnostic"]["name"], "ConnectionRefusedError", "{run}");
}

#[tokio::test]
async fn a_way_out_is_its_sessions_alone() {
    let scene = Scene::start();
    let first = scene.session(scene.policy(&["server.test:{}"])).await;
    let second = scene.session(scene.policy(&["other.test"])).await;
    let third = scene.session(Value::Null).await;
    assert_eq!(scene.in_session(&first, FETCH).await["status"], "succeeded");
    let through = "import os; os.environ['http_proxy'] = 'http://127.0.0.1:3128'\n";
    let run = scene.in_session(&second, FETCH).await;
    assert!(run["stderr"].as_str().is_some_and(|text| text.contains("(not_allowed)")), "{run}");
    let run = scene.in_session(&third, &format!("{through}{FETCH}")).await;
    assert!(
        run["stderr"].as_str().is_some_and(|text| text.contains("Connection refused")),
        "{run}"
    );
    let (_, log) =
        scene.crucible.call(Method::GET, &format!("{SESSIONS}/{third}/network/log"), None).await;
    assert_eq!(log, json!({"connections": [], "forgotten": 0}));
}

/// From the machine's own index, whichever that is; nothing here says where.
#[tokio::test]
async fn pip_installs_through_it() {
    let name = "pip_installs_through_it";
    let Some(python) = needs("python3", name) else { return };
    let place = TempDir::new().expect("a directory");
    let mut download = std::process::Command::new(python);
    let download = download.args(["-m", "pip", "download", "-q", "--no-deps", "--no-cache-dir"]);
    let found = download.args(["-d", &place.path().display().to_string(), "humanize"]).output();
    if !found.is_ok_and(|output| output.status.success()) {
        println!("skipped: {name} (this machine's pip reaches no index)");
        return;
    }
    let data = TempDir::new().expect("a directory");
    let crucible =
        Crucible::start_in(data.path(), &[("EGRESS_ALLOW", "*"), ("EGRESS_PRIVATE_HOSTS", "*")]);
    let code = "import subprocess, sys
done = subprocess.run([sys.executable, '-m', 'pip', 'install', '-q', '--target', 'lib', 'humanize'])
sys.path.insert(0, 'lib')
import humanize
print(done.returncode, humanize.intcomma(1000))";
    let body =
        json!({"language": "python", "code": code, "timeout": 60, "network": {"allow": ["*"]}});
    let run = crucible.run(body).await;
    assert!(run["stdout"].as_str().is_some_and(|text| text.ends_with("0 1,000\n")), "{run}");
}

/// The broker of a launcher's worker, if there is one.
fn broker_of(launcher: u32) -> Option<u32> {
    let is_broker = |pid: &u32| {
        std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "broker\n")
    };
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = descendants(launcher).into_iter().find(is_broker);
        let keeper = descendants(launcher).into_iter().any(|pid| {
            std::fs::read_to_string(format!("/proc/{pid}/comm"))
                .is_ok_and(|name| name == "keeper\n")
        });
        // A keeper without a broker is about to have one.
        if found.is_some() || !keeper || Instant::now() > deadline {
            return found;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
