//! Sessions and contexts as a backend uses them: interrupted, restarted, paused, and over a restart of the gateway.

use std::time::{Duration, Instant};

use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::crucible::{Crucible, processors};
use crate::processes::{signal, wait_until_gone};

const SESSIONS: &str = "/v1/code_interpreter/sessions";
const RUN: &str = "/v1/code_interpreter/run";

/// A session of one Crucible.
struct Scene<'a> {
    crucible: &'a Crucible,
    session: String,
}

impl<'a> Scene<'a> {
    async fn new(crucible: &'a Crucible, body: Value) -> Self {
        let (status, made) = crucible.call(Method::POST, SESSIONS, Some(body)).await;
        assert_eq!(status, 201, "{made}");
        let session = String::from(made["session_id"].as_str().expect("an id"));
        Self { crucible, session }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        self.crucible.call(method, &format!("{SESSIONS}/{}{path}", self.session), body).await
    }

    async fn post(&self, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.ask(Method::POST, path, body).await;
        assert!(status < 300, "{path}: {status} {answer}");
        answer
    }

    async fn show(&self) -> Value {
        let (status, answer) = self.ask(Method::GET, "", None).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// The answer of a run in a context, or in the default one of a language.
    async fn run(&self, place: &str, code: &str) -> (u16, Value) {
        let key = if place.starts_with("ctx_") { "context_id" } else { "language" };
        let body = json!({"session_id": self.session, key: place, "code": code, "timeout": 25});
        self.crucible.call(Method::POST, RUN, Some(body)).await
    }

    /// What a run prints that must succeed.
    async fn prints(&self, place: &str, code: &str) -> String {
        let (status, answer) = self.run(place, code).await;
        assert_eq!((status, &answer["status"]), (200, &json!("succeeded")), "{code}: {answer}");
        String::from(answer["stdout"].as_str().expect("text"))
    }

    /// Does something once a context is busy.
    async fn once_busy(&self, context: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let shown = self.show().await;
            let contexts = shown["contexts"].as_array().expect("a list").iter();
            let mut found = contexts.filter(|one| one["context_id"] == context);
            if found.any(|one| one["state"] == "busy") {
                return;
            }
            assert!(Instant::now() < deadline, "{shown}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn end(self) {
        let (status, answer) = self.ask(Method::DELETE, "", None).await;
        assert_eq!(status, 200, "{answer}");
        let (status, _) = self.ask(Method::DELETE, "", None).await;
        assert_eq!(status, 404);
    }
}

#[tokio::test]
async fn an_interrupt_stops_a_program_and_keeps_its_state() {
    let _processors = processors().await;
    let scene = Scene::new(Crucible::shared(), json!({})).await;
    for (language, before, endless, after) in [
        ("python", "x = 41", "while True: pass", "print(x + 1)"),
        ("python", "y = 41", "import time\ntime.sleep(99)", "print(y + 1)"),
        ("node", "x = 41", "while (true);", "console.log(x + 1)"),
        (
            "node",
            "y = 41",
            "await new Promise((done) => setTimeout(done, 99000))",
            "console.log(y + 1)",
        ),
        ("bash", "x=41", "while :; do :; done", "echo $((x + 1))"),
        ("bash", "y=41", "sleep 99", "echo $((y + 1))"),
    ] {
        scene.prints(language, before).await;
        let running = scene.run(language, endless);
        let interrupting = async {
            scene.once_busy(&format!("ctx_default{language}")).await;
            // Not while the interpreter is being told what to run.
            tokio::time::sleep(Duration::from_millis(200)).await;
            scene.post("/interrupt", None).await
        };
        let ((status, run), interrupted) = tokio::join!(running, interrupting);
        assert_eq!(interrupted, json!({"interrupted": true}));
        assert_eq!((status, &run["status"]), (200, &json!("failed")), "{endless}: {run}");
        assert_eq!((&run["exit_code"], &run["state_lost"]), (&json!(130), &json!(false)), "{run}");
        assert_eq!(scene.prints(language, after).await, "42\n", "{endless}");
    }
    let idle = scene.post("/interrupt", None).await;
    assert_eq!(idle, json!({"interrupted": false}));
    scene.end().await;
}

#[tokio::test]
async fn two_contexts_of_two_languages_work_on_one_file_and_do_not_disturb_each_other() {
    let _processors = processors().await;
    let files = json!({"files": {"data/in.txt": "1\n2\n3\n"}});
    let scene = Scene::new(Crucible::shared(), files).await;
    let new =
        |language: &str| Some(json!({"language": language, "cwd": "data", "env": {"K": language}}));
    let python = scene.post("/contexts", new("python")).await["context_id"].clone();
    let node = scene.post("/contexts", new("node")).await["context_id"].clone();
    let (python, node) = (python.as_str().expect("an id"), node.as_str().expect("an id"));
    let sum = "import os\ntotal = sum(int(line) for line in open('in.txt'))\n\
               print(total, os.environ['K'], file=open('out.txt', 'w'))";
    scene.prints(python, sum).await;
    let read = "const text = require('fs').readFileSync('out.txt', 'utf8').trim(); \
                console.log(text, process.env.K)";
    assert_eq!(scene.prints(node, read).await, "6 python node\n");

    // One is restarted while it runs; the other neither waits for that nor loses anything.
    let running = scene.run(python, "import time\ntime.sleep(60)");
    let meanwhile = async {
        scene.once_busy(python).await;
        let beside = scene.prints(node, "console.log(text.length)").await;
        scene.post(&format!("/contexts/{python}/restart"), None).await;
        beside
    };
    let ((_, run), beside) = tokio::join!(running, meanwhile);
    assert_eq!(beside, "8\n");
    assert_eq!(
        (&run["status"], &run["diagnostic"]["name"]),
        (&json!("cancelled"), &json!("ContextRestarted"))
    );
    assert_eq!(scene.prints(node, "console.log(text.length)").await, "8\n");
    let (_, gone) = scene.run(python, "total").await;
    assert_eq!(gone["diagnostic"]["name"], "NameError", "{gone}");

    let (status, _) = scene.ask(Method::DELETE, &format!("/contexts/{python}"), None).await;
    assert_eq!(status, 204);
    assert_eq!(scene.run(python, "1").await.0, 404);
    let (status, refused) =
        scene.ask(Method::POST, "/contexts", Some(json!({"language": "c", "cwd": "no"}))).await;
    assert_eq!((status, &refused["errors"][0]["loc"]), (422, &json!("cwd")));
    scene.end().await;
}

#[tokio::test]
async fn several_contexts_of_one_language_run_at_once() {
    let scene = Scene::new(Crucible::shared(), json!({})).await;
    for (language, code) in [
        ("bash", "read word; sleep 0.2; echo $word"),
        (
            "c",
            "#include <stdio.h>\nint main(void) { char word[9]; if (scanf(\"%8s\", word) == 1) puts(word); }",
        ),
    ] {
        let mut contexts = Vec::new();
        for _ in 0..3 {
            let made = scene.post("/contexts", Some(json!({"language": language}))).await;
            contexts.push(String::from(made["context_id"].as_str().expect("an id")));
        }
        let run = async |number: usize| {
            let body = json!({
                "session_id": scene.session, "context_id": contexts[number], "code": code,
                "stdin": format!("word{number}\n"),
            });
            scene.crucible.run(body).await
        };
        let (first, second, third) = tokio::join!(run(0), run(1), run(2));
        for (number, answer) in [first, second, third].into_iter().enumerate() {
            assert_eq!(answer["stdout"], format!("word{number}\n"), "{language}: {answer}");
        }
    }
    scene.end().await;
}

#[tokio::test]
async fn a_paused_session_takes_no_processor_time_and_goes_on_where_it_was() {
    let _processors = processors().await;
    let scene = Scene::new(Crucible::shared(), json!({"metadata": {"test": "pausing"}})).await;
    let ticks = "import itertools, threading\nticks = itertools.count()\nlast = 0";
    scene.prints("python", ticks).await;
    let count = "def count():\n  global last\n  for last in ticks: pass\n\
                 threading.Thread(target=count, daemon=True).start()";
    scene.prints("python", count).await;
    // New processes come all the time, and none of them gets away.
    scene.prints("bash", "(while :; do (exit); done) &").await;
    let cpu = async || scene.show().await["usage"]["cpu_ms"].as_u64().expect("a number");
    let before = cpu().await;
    while cpu().await < before + 50 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    assert_eq!(scene.post("/pause", None).await["status"], "paused");
    let paused = cpu().await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let (now, shown) = (cpu().await, scene.show().await);
    assert!(now <= paused + 10, "{paused} ms, and then {now} ms");
    assert_eq!(shown["status"], "paused");
    let (_, listed) = scene
        .crucible
        .call(Method::GET, &format!("{SESSIONS}?status=paused&metadata.test=pausing"), None)
        .await;
    assert_eq!(listed["data"][0]["session_id"], json!(scene.session));

    // Its use resumes it.
    assert_eq!(scene.prints("python", "print(last > 0)").await, "True\n");
    assert_ne!(scene.show().await["status"], "paused");
    scene.end().await;

    let scene =
        Scene::new(Crucible::shared(), json!({"language": "python", "auto_resume": false})).await;
    scene.prints("python", "x = 41").await;
    scene.post("/pause", None).await;
    let (status, refused) = scene.run("python", "x").await;
    assert_eq!((status, &refused["code"]), (409, &json!("session_paused")), "{refused}");
    assert_eq!(scene.post("/resume", None).await["status"], "active");
    assert_eq!(scene.prints("python", "print(x + 1)").await, "42\n");

    // Whoever runs when its time is up is told so.
    let running = scene.run("python", "import time\ntime.sleep(60)");
    let shortening = async {
        scene.once_busy("ctx_defaultpython").await;
        let (status, busy) = scene.ask(Method::POST, "/pause", None).await;
        assert_eq!((status, &busy["code"]), (409, &json!("session_busy")), "{busy}");
        scene.post("/extend", Some(json!({"ttl": 1}))).await
    };
    let ((_, run), _) = tokio::join!(running, shortening);
    assert_eq!(
        (&run["status"], &run["diagnostic"]["name"]),
        (&json!("cancelled"), &json!("SessionEnded")),
        "{run}"
    );
    assert_eq!(scene.run("python", "1").await.0, 410);
}

#[tokio::test]
async fn an_interpreter_that_dies_between_two_runs_is_replaced_and_its_end_is_told() {
    let scene = Scene::new(Crucible::shared(), json!({"language": "python"})).await;
    let doom = "x = 1\nimport os, threading\nthreading.Timer(0.2, lambda: os.kill(os.getpid(), 9)).start()";
    scene.prints("python", doom).await;
    let deadline = Instant::now() + Duration::from_secs(60);
    while scene.show().await["contexts"][0]["state"] != "lost" {
        assert!(Instant::now() < deadline, "it lives");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (_, run) = scene.run("python", "x").await;
    assert_eq!((&run["status"], &run["state_lost"]), (&json!("failed"), &json!(true)), "{run}");
    let hint = run["diagnostic"]["hint"].as_str().unwrap_or_default();
    assert!(hint.contains("by SIGKILL") && hint.contains("replaced"), "{run}");
    let (_, again) = scene.run("python", "2").await;
    assert_eq!(again["state_lost"], json!(false));
    scene.end().await;
}

#[tokio::test]
async fn sessions_contexts_and_pauses_outlive_the_gateway() {
    let crucible = Crucible::start();
    let body = json!({"language": "python", "metadata": {"who": "me"}, "auto_resume": false});
    let scene = Scene::new(&crucible, body).await;
    let made = scene.post("/contexts", Some(json!({"language": "bash"}))).await;
    let context = made["context_id"].as_str().expect("an id");
    scene.prints(context, "x=41").await;
    scene.prints("python", "x = 41").await;
    scene.post("/extend", Some(json!({"ttl": 5000}))).await;
    scene.ask(Method::PATCH, "", Some(json!({"metadata": {"who": "somebody"}}))).await;
    scene.post("/pause", None).await;
    let before = scene.show().await;

    let gateway = crucible.service("gateway");
    signal(gateway, Signal::KILL);
    wait_until_gone(&[gateway]);
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let ready = reqwest::get(format!("{}/readyz", crucible.url())).await;
        if ready.is_ok_and(|ready| ready.status().is_success()) {
            break;
        }
        assert!(Instant::now() < deadline, "the gateway did not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    let mut after = scene.show().await;
    after["usage"] = before["usage"].clone();
    assert_eq!(after, before);
    assert_eq!(
        (&after["status"], &after["metadata"]),
        (&json!("paused"), &json!({"who": "somebody"}))
    );
    let (_, found) =
        crucible.call(Method::GET, &format!("{SESSIONS}?metadata.who=somebody"), None).await;
    assert_eq!(found["data"][0]["session_id"], json!(scene.session));
    scene.post("/resume", None).await;
    assert_eq!(scene.prints(context, "echo $((x + 1))").await, "42\n");
    assert_eq!(scene.prints("python", "print(x + 1)").await, "42\n");
    scene.end().await;
}
