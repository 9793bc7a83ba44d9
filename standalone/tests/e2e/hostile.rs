//! Every hostile program that we know of, several at a time, and a friendly one afterwards.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::case::{Case, run};
use crate::crucible::{Crucible, processors};
use crate::remains::{Remains, STEADY_POOL};

/// One entry of `hostile.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Program {
    name: String,
    language: String,
    code: String,
    /// Seconds; more than the usual 3 for one that has to get somewhere first.
    #[serde(default = "usual_timeout")]
    timeout: u32,
    /// All that it may end as.
    statuses: Vec<String>,
    /// What standard output would show if it had got through.
    #[serde(default)]
    must_not_print: Vec<String>,
    /// What standard output has to show.
    #[serde(default)]
    must_print: Vec<String>,
}

fn usual_timeout() -> u32 {
    3
}

impl Program {
    fn case(&self) -> Case {
        let mut case = run(&self.language, &self.code)
            .with("timeout", json!(self.timeout))
            .ends_one_of(self.statuses.iter());
        for part in &self.must_not_print {
            case = case.lacks("/stdout", part);
        }
        for part in &self.must_print {
            case = case.has("/stdout", part);
        }
        case
    }
}

#[tokio::test]
async fn the_whole_corpus_gets_nowhere_and_leaves_nothing() {
    let _processors = processors().await;
    let programs: Vec<Program> =
        serde_json::from_str(include_str!("hostile.json")).expect("the corpus is well formed");
    let data = TempDir::new().expect("a directory");
    let crucible = Arc::new(Crucible::start_in(data.path(), &STEADY_POOL));
    let before = Remains::at_rest(&crucible);

    let turns = Arc::new(Semaphore::new(4));
    let mut running = JoinSet::new();
    for program in programs {
        let (turns, crucible) = (Arc::clone(&turns), Arc::clone(&crucible));
        running.spawn(async move {
            let _turn = turns.acquire().await.expect("it is never closed");
            let objection = program.case().objection(&crucible).await?;
            Some(format!("{}: {objection}", program.name))
        });
    }
    let objections: Vec<String> = running.join_all().await.into_iter().flatten().collect();
    let hello = crucible.run(json!({"language": "python", "code": "print('hello')"})).await;

    assert!(objections.is_empty(), "{}", objections.join("\n"));
    assert_eq!(hello["stdout"], "hello\n", "{hello}");
    assert_eq!(Remains::at_rest(&crucible), before);
}

#[tokio::test]
async fn hostile_requests_are_refused() {
    let crucible = Crucible::shared();
    let python = |field: &str, value: Value| {
        let mut body = json!({"language": "python", "code": "print(1)"});
        body[field] = value;
        body
    };
    let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
    let c =
        |flags: &[&str]| json!({"language": "c", "code": "int main(){}", "compiler_flags": flags});
    let many: serde_json::Map<String, Value> =
        (0..1001).map(|n| (format!("f{n}"), json!("x"))).collect();
    let bodies = [
        python("files", json!({"../up": "x"})),
        python("files", json!({"/etc/passwd": "x"})),
        python("files", json!({"a/../../up": "x"})),
        python("files", json!({"nul\u{0}": "x"})),
        python("files", json!({"bad": {"base64": "%%%"}})),
        python("files", Value::Object(many)),
        python("code", deep),
        python("code", json!("x".repeat((1 << 20) + 1))),
        python("code", json!("print(1)\u{0}")),
        python("code", json!("")),
        python("timeout", json!(0)),
        python("timeout", json!(1e9)),
        python("limits", json!({"memory_bytes": 1_u64 << 50})),
        python("env", json!({"A=B": "x"})),
        python("language", json!("cobol")),
        c(&["-fplugin=/home/user/x.so"]),
        c(&["-wrapper", "/home/user/x"]),
        c(&["-B/work"]),
        c(&["@/etc/shadow"]),
        c(&["-specs=/home/user/s"]),
        c(&["-o/../../x"]),
        c(&["-x", "none"]),
    ];
    for body in bodies {
        let path = "/v1/code_interpreter/run";
        let (status, answer) = crucible.call(Method::POST, path, Some(body.clone())).await;
        let shown: String = body.to_string().chars().take(120).collect();
        assert!([400, 413, 422].contains(&status), "{status} {shown}: {answer}");
        assert!(answer["detail"].is_string(), "{shown}: {answer}");
        let named = answer["errors"][0]["loc"].is_string();
        assert!(named || status != 422, "{shown}: {answer}");
    }
}

#[tokio::test]
async fn variables_that_steer_programs_steer_only_the_users_own() {
    let crucible = Crucible::shared();
    let env = json!({
        "LD_PRELOAD": "/home/user/x.so", "PYTHONPATH": "/home/user", "PYTHONSTARTUP": "/etc/passwd",
        "NODE_OPTIONS": "--inspect=0.0.0.0", "BASH_ENV": "/home/user/x", "PATH": "/nowhere",
    });
    for (language, code) in [
        ("python", "print('fine')"),
        ("node", "console.log('fine')"),
        ("bash", "echo fine"),
        ("c", "#include <stdio.h>\nint main(void) { puts(\"fine\"); }"),
    ] {
        let objection = run(language, code).with("env", env.clone()).prints("fine\n");
        let objection = objection.objection(crucible).await;
        assert_eq!(objection, None, "{}", objection.clone().unwrap_or_default());
    }
}

#[tokio::test]
async fn callers_that_hang_up_leave_nothing_running() {
    let data = TempDir::new().expect("a directory");
    let crucible = Crucible::start_in(data.path(), &STEADY_POOL);
    let before = Remains::at_rest(&crucible);

    for _ in 0..20 {
        let body = json!({"language": "bash", "code": "sleep 600; echo", "timeout": 300});
        let call = crucible.run(body);
        // Long enough to be under way, and the answer is far away.
        assert!(tokio::time::timeout(Duration::from_millis(60), call).await.is_err());
    }
    // The last connection is closed by a task of this runtime, which needs a turn for it.
    tokio::time::sleep(Duration::from_millis(100)).await;

    assert_eq!(Remains::at_rest(&crucible), before);
}
