//! The events of a run.

use proto::execution_v1::{ExecuteRequest, File, Limits, Status, Stream};

use crate::support::{Worker, bash, c, limits, node, python};

#[tokio::test]
async fn output_comes_while_the_program_runs() {
    let programs = [
        ("bash", bash("echo one; sleep 600; echo two")),
        ("python", python("import time\nprint('one')\ntime.sleep(600)\nprint('two')")),
        ("node", node("console.log('one'); setTimeout(() => console.log('two'), 600000)")),
        (
            "c",
            c(
                "#include <stdio.h>\n#include <unistd.h>\nint main(void) { puts(\"one\"); fflush(stdout); sleep(600); puts(\"two\"); }",
            ),
        ),
    ];
    for (language, program) in programs {
        let Some(worker) = Worker::start(language, &[]).await else {
            continue;
        };
        let caller = worker.caller().await;
        let mut running = caller.execute(program).await.unwrap();
        running.says("one\n").await;
        caller.cancel(&running.id, "usr_one").await.unwrap();
        let ran = running.finish().await;
        assert_eq!((ran.status(), ran.stdout().as_str()), (Status::Cancelled, "one\n"), "{ran:?}");
    }
}

#[tokio::test]
async fn the_streams_are_told_apart_and_the_exit_status_is_the_programs() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let ran = caller.run(bash("echo out; echo err >&2; exit 3")).await;
    assert_eq!((ran.stdout().as_str(), ran.stderr().as_str()), ("out\n", "err\n"));
    let outcome = ran.outcome();
    assert_eq!((outcome.status(), outcome.exit_code), (Status::Failed, Some(3)));
    assert_eq!(outcome.diagnostic.as_ref().unwrap().kind, "exit");
    assert_eq!(outcome.stdout.unwrap().bytes, 4);
    assert_eq!(outcome.stderr.unwrap().bytes, 4);
    assert!(!outcome.state_lost);

    let ran = caller.run(bash("kill -TERM $$; sleep 600")).await;
    assert_eq!(ran.status(), Status::Killed, "{ran:?}");
    assert_eq!(ran.outcome().signal.as_deref(), Some("SIGTERM"));
    assert_eq!(ran.outcome().exit_code, None);
}

#[tokio::test]
async fn a_long_stream_keeps_head_and_tail_at_their_places() {
    const LINES: usize = 20_000;
    let worker = Worker::bash(&[]).await;
    let program = bash(&format!("seq -w 1 {LINES}"));
    let few = Limits { output_bytes: Some(4096), ..Limits::default() };
    let ran = worker.caller().await.run(limits(few, program)).await;
    let whole: String = (1..=LINES).map(|line| format!("{line:05}\n")).collect();
    let totals = ran.outcome().stdout.unwrap();
    assert_eq!(ran.status(), Status::Succeeded, "a full stream stops no program");
    assert_eq!(totals.bytes, whole.len() as u64);
    assert!(totals.truncated);

    let mut end = 0;
    let mut gaps = 0;
    for piece in &ran.pieces {
        let offset = usize::try_from(piece.offset).unwrap();
        assert!(offset >= end, "pieces come in order");
        gaps += usize::from(offset > end);
        end = offset + piece.data.len();
        assert_eq!(piece.data, whole.as_bytes()[offset..end], "at {offset}");
    }
    assert_eq!((gaps, end), (1, whole.len()));
    assert!(ran.stdout().len() <= 4096);
    assert!(ran.stdout().starts_with("00001\n") && ran.stdout().ends_with("20000\n"));
}

#[tokio::test]
async fn values_come_as_rich_results() {
    let Some(worker) = Worker::start("python,node", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    for program in [python("6 * 7"), node("6 * 7")] {
        let ran = caller.run(program).await;
        assert_eq!(ran.printed(), "");
        let [value] = &ran.results[..] else {
            panic!("{ran:?}");
        };
        assert!(value.is_main_result);
        assert_eq!(value.mime["text/plain"], "42");
    }
    let shown = "class Page:\n    def _repr_html_(self): return '<b>hi</b>'\nPage()";
    let ran = caller.run(python(shown)).await;
    assert_eq!(ran.results[0].mime["text/html"], "<b>hi</b>");
}

#[tokio::test]
async fn input_arguments_variables_and_files_reach_the_program() {
    let worker = Worker::bash(&[]).await;
    let program = ExecuteRequest {
        stdin: b"typed\n".to_vec().into(),
        args: vec![String::from("a b"), String::from("-n")],
        env: [(String::from("GREETING"), String::from("hé llo"))].into(),
        files: vec![File { path: String::from("data/in.bin"), content: vec![0, 255, 10].into() }],
        ..bash("cat; echo \"$#:$1:$2:$GREETING\"; od -An -tu1 data/in.bin; pwd")
    };
    let ran = worker.caller().await.run(program).await;
    assert_eq!(ran.printed(), "typed\n2:a b:-n:hé llo\n   0 255  10\n/home/user\n");
    assert!(ran.pieces.iter().all(|piece| piece.stream() == Stream::Stdout));
}

#[tokio::test]
async fn an_outcome_accounts_for_the_run() {
    let Some(worker) = Worker::start("c", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let ran =
        caller.run(c("int main(void) { for (volatile long i = 0; i < 50000000; i++); }")).await;
    let outcome = ran.outcome();
    let (usage, phases) = (outcome.usage.clone().unwrap(), outcome.phases.unwrap());
    assert_eq!(outcome.status(), Status::Succeeded);
    assert!(usage.cpu_us > 1000, "{usage:?}");
    assert!(["enforced", "best_effort"].contains(&usage.accounting.as_str()));
    assert!(phases.compile_us.is_some_and(|time| time > 0), "{phases:?}");
    assert!(phases.run_us > 0 && phases.run_us <= outcome.duration_us, "{outcome:?}");

    let ran = caller.run(c("int main(void) { return x; }")).await;
    let outcome = ran.outcome();
    assert_eq!((outcome.status(), outcome.exit_code), (Status::CompileFailed, None));
    let diagnostic = outcome.diagnostic.as_ref().unwrap();
    assert_eq!((diagnostic.kind.as_str(), diagnostic.line), ("compile", Some(1)));
}

#[tokio::test]
async fn one_run_finds_nothing_of_another() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    caller.run(bash("X=1; echo secret > kept; echo secret > /tmp/kept; sleep 600 &")).await;
    let look = "echo \"[$X]\"; ls -A /home/user /tmp | grep -c kept; ls -d /proc/[0-9]* | wc -l";
    let first = caller.run(bash(look)).await;
    let said = first.stdout();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[..2], ["[]", "0"], "{first:?}");
    // init, the interpreter, and the pipe's own two.
    assert!(lines[2].parse::<u32>().unwrap() <= 5, "{first:?}");
}
