//! Sessions as a backend uses them: made, run in with state, ended.

use reqwest::Method;
use serde_json::{Value, json};

use crate::case::{Case, run, shortened};
use crate::crucible::{Crucible, processors};

const SESSIONS: &str = "/v1/code_interpreter/sessions";
const ATTEMPTS: u32 = 3;
/// The timeout, in seconds, of runs that are meant to reach it.
const INTERRUPTED: u64 = 1;

/// Makes a session and returns its path.
pub async fn session(crucible: &Crucible, language: &str) -> (String, String) {
    let body = json!({"language": language, "ttl": 600});
    let (status, made) = crucible.call(Method::POST, SESSIONS, Some(body)).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(made["language"], language, "{made}");
    let id = made["session_id"].as_str().expect("an id");
    (String::from(id), format!("{SESSIONS}/{id}"))
}

/// Plays runs one after the other in one session, which is ended afterwards.
///
/// An interpreter has a tenth of a second to react to being interrupted. On a busy machine it may
/// miss that, and its state is then lost, by design: such a session is played again.
async fn play(language: &str, runs: Vec<Case>) {
    let _processors = processors().await;
    for attempt in 1..=ATTEMPTS {
        let (id, path) = session(Crucible::shared(), language).await;
        let failed = first_failure(&id, &runs).await;
        end(language, &id, &path).await;
        match failed {
            None => return,
            Some((INTERRUPTED, objection)) if attempt < ATTEMPTS => eprintln!("again: {objection}"),
            Some((_, objection)) => panic!("{objection}"),
        }
    }
}

/// The timeout, in seconds, of the first run that was not as expected, and what was wrong with it.
async fn first_failure(session: &str, runs: &[Case]) -> Option<(u64, String)> {
    for case in runs {
        let case = case.clone().with("session_id", json!(session));
        if let Some(objection) = case.objection(Crucible::shared()).await {
            return Some((case.request["timeout"].as_u64().unwrap_or_default(), objection));
        }
    }
    None
}

async fn end(language: &str, id: &str, path: &str) {
    let crucible = Crucible::shared();
    let (status, ended) = crucible.call(Method::DELETE, path, None).await;
    assert_eq!((status, &ended["success"]), (200, &Value::Bool(true)), "{ended}");
    for method in [Method::DELETE, Method::GET] {
        let (status, gone) = crucible.call(method, path, None).await;
        assert_eq!(status, 404, "{gone}");
    }
    let body = json!({"language": language, "code": "1", "session_id": id});
    let (status, gone) = crucible.call(Method::POST, "/v1/code_interpreter/run", Some(body)).await;
    assert_eq!(status, 404, "{}", shortened(&gone));
}

/// A run of 1 s at most, which is not enough for it.
fn too_long(language: &str, code: &str) -> Case {
    run(language, code).with("timeout", json!(INTERRUPTED)).ends("timed_out").keeps_state()
}

impl Case {
    fn keeps_state(self) -> Self {
        self.is("/state_lost", json!(false))
    }

    fn loses_state(self) -> Self {
        self.is("/state_lost", json!(true))
    }
}

#[tokio::test]
async fn python_keeps_everything_between_runs_and_over_a_timeout() {
    let py = |code| run("python", code).keeps_state();
    play(
        "python",
        vec![
            py("x = 1\nimport os, math\nos.chdir('/tmp')"),
            py("def f(): return x + math.floor(2.5)"),
            py("print(f(), os.getcwd())").prints("3 /tmp\n"),
            too_long("python", "print('part', flush=True)\nwhile True: pass").prints("part\n"),
            too_long("python", "import time\ntime.sleep(99)"),
            py("x").result("1"),
            py("1 / 0").fails(1).diagnosed("exception", "ZeroDivisionError"),
            py("import sys\nsys.exit(3)").fails(3),
            py("print(input())").with("stdin", json!("line")).prints("line\n"),
            py("x").result("1"),
        ],
    )
    .await;
}

#[tokio::test]
async fn python_that_ends_its_interpreter_says_so_and_goes_on_with_its_files() {
    let py = |code| run("python", code);
    play(
        "python",
        vec![
            py("x = 1\nopen('kept', 'w').write('k')").result("1"),
            py("import os\nos._exit(3)").fails(3).loses_state(),
            py("print('back')").prints("back\n").keeps_state(),
            py("x").fails(1).diagnosed("exception", "NameError"),
            py("import os\nos.kill(os.getpid(), 9)").dies_of("SIGKILL").loses_state(),
            py("print(open('/home/user/kept').read())").prints("k\n").keeps_state(),
            py("import signal\nfor s in range(1, 65):\n  try: signal.signal(s, signal.SIG_IGN)\n\
                \x20 except Exception: pass\nwhile True: pass")
            .with("timeout", json!(INTERRUPTED))
            .ends("timed_out")
            .loses_state(),
            py("print('again')").prints("again\n").keeps_state(),
        ],
    )
    .await;
}

#[tokio::test]
async fn node_keeps_everything_between_runs_and_over_a_timeout() {
    let js = |code| run("node", code).keeps_state();
    play(
        "node",
        vec![
            js("const a = 1; let b = 2; process.chdir('/tmp')"),
            js("function f() { return a + b }"),
            js("import p from 'node:path'"),
            js("console.log(f(), typeof p.join, process.cwd())").prints("3 function /tmp\n"),
            too_long("node", "console.log('part'); for (;;) {}").prints("part\n"),
            too_long("node", "await new Promise(() => setInterval(() => {}, 1000))"),
            js("throw new Error('x')").fails(1).diagnosed("exception", "Error"),
            js("Promise.reject(new Error('u'))").fails(1).diagnosed("exception", "Error"),
            js("const a = 5; a").result("5"),
            js("b").result("2"),
            run("node", "process.kill(process.pid, 'SIGKILL')").dies_of("SIGKILL").loses_state(),
            js("typeof b").result("'undefined'"),
        ],
    )
    .await;
}

#[tokio::test]
async fn bash_keeps_everything_between_runs_and_over_a_timeout() {
    let sh = |code| run("bash", code).keeps_state();
    play(
        "bash",
        vec![
            sh("x=1; cd /tmp; f() { echo f$x; }"),
            sh("f; pwd").prints("f1\n/tmp\n"),
            sh("set -e; false").fails(1),
            sh("exit 3").fails(3),
            too_long("bash", "echo part; while :; do :; done").prints("part\n"),
            too_long("bash", "sleep 99"),
            sh("f; pwd").prints("f1\n/tmp\n"),
            sh("echo kept > /home/user/k"),
            run("bash", "kill -9 $$").dies_of("SIGKILL").loses_state(),
            sh("echo \"[$x]\"; cat /home/user/k").prints("[]\nkept\n"),
            run("bash", "exec true").loses_state(),
            sh("echo back").prints("back\n"),
        ],
    )
    .await;
}

#[tokio::test]
async fn c_keeps_its_files_between_runs() {
    let read = "#include <stdio.h>\nint main(void) { char b[9] = {0}; \
                fgets(b, 9, fopen(\"k\", \"r\")); puts(b); }";
    play(
        "c",
        vec![
            run(
                "c",
                "#include <stdio.h>\nint main(void) { fputs(\"kept\", fopen(\"k\", \"w\")); }",
            ),
            run("c", read).prints("kept\n"),
            too_long("c", "int main(void) { for (;;); }"),
            run("c", "int main(void) { return *(volatile int *)0; }").dies_of("SIGSEGV"),
            run("c", read).prints("kept\n"),
        ],
    )
    .await;
}

#[tokio::test]
async fn runs_of_one_session_queue_behind_each_other() {
    let crucible = Crucible::shared();
    let (id, path) = session(crucible, "python").await;
    let body = |code: &str| json!({"language": "python", "code": code, "session_id": id});

    let add = "import time\nbefore = globals().get('n', 0)\ntime.sleep(0.2)\nn = before + 1";
    tokio::join!(crucible.run(body(add)), crucible.run(body(add)), crucible.run(body(add)),);

    let answer = crucible.run(body("n")).await;
    assert_eq!(answer["results"][0]["mime"]["text/plain"], "3", "{answer}");
    crucible.call(Method::DELETE, &path, None).await;
}
