//! Runs of a compiled language: the compiler, and what it has made.

use super::*;

/// gcc, which makes an executable with a warning, and what it makes, which answers its input. A program
/// `wrong` is refused, and one that `hangs` keeps the compiler busy for ever.
fn gcc() -> Arc<FakeBackend> {
    FakeBackend::new(|mut process| async move {
        if process.command.program != COMPILER {
            assert_eq!(
                process.inside.file(Root::Requests, "main").map(|(code, _)| code),
                Some(b"ELF".to_vec())
            );
            let input = match &process.command.stdin {
                Stdin::File(path) => path.strip_prefix("/run/crucible/").map(String::from),
                Stdin::Null | Stdin::Pipe | Stdin::Terminal(_) => None,
            };
            let input = input.and_then(|path| process.inside.file(Root::Requests, &path));
            process.print(input.map_or_else(|| b"no input".to_vec(), |(content, _)| content));
            process.complain("and more");
            return Exit::Code(5);
        }
        assert_eq!(process.inside.file(Root::Requests, STDIN), None, "it could include it");
        let (code, _) = process.inside.file(Root::Workspace, "main.c").expect("the source");
        match &code[..] {
            b"hangs" => process.hang().await,
            b"wrong" => {
                process.complain("main.c:3:12: error: no\n");
                Exit::Code(1)
            }
            _ => {
                process.complain("a warning, ");
                process.inside.put_file(Root::Requests, "main", b"ELF", FileMode::Executable);
                Exit::Code(0)
            }
        }
    })
}

#[tokio::test]
async fn a_program_is_compiled_and_run_and_both_are_heard() {
    for (input, answer) in [("", "no input"), ("four", "four")] {
        let backend = gcc();
        let mut runner = empty(&backend).await;
        let mut given = Given::new(C, "int main", Mode::Once);
        given.request.stdin = Vec::from(input);
        let (completed, events) = given.complete(&mut runner).await;
        assert_eq!(
            (completed.verdict.status, completed.verdict.exit_code),
            (Status::Failed, Some(5))
        );
        assert!(completed.compile.is_some() && !completed.kernel_lost);
        assert_eq!(text(&events, Stream::Stdout), answer);
        assert_eq!(
            text(&events, Stream::Stderr),
            "a warning, and more",
            "one stream to its reader"
        );
        assert_eq!((completed.stdout.bytes, completed.stderr.bytes), (answer.len() as u64, 19));
        finish(&backend, runner).await;
    }
}

#[tokio::test]
async fn what_does_not_compile_is_not_run() {
    let backend = gcc();
    let mut runner = empty(&backend).await;
    let (completed, events) = Given::new(C, "wrong", Mode::Once).complete(&mut runner).await;
    assert_eq!(
        (completed.verdict.status, completed.verdict.exit_code),
        (Status::CompileFailed, None)
    );
    let diagnostic = completed.verdict.diagnostic.expect("what is wrong");
    assert_eq!((diagnostic.kind, diagnostic.line), (Kind::Compile, Some(3)));
    assert_eq!(text(&events, Stream::Stderr), "main.c:3:12: error: no\n");
    assert_eq!(text(&events, Stream::Stdout), "");
    finish(&backend, runner).await;
}

#[tokio::test]
async fn a_compiler_has_a_time_of_its_own() {
    let backend = gcc();
    let mut runner = empty(&backend).await;
    let mut given = Given::new(C, "hangs", Mode::Once);
    given.settings.compile_wall = Duration::from_millis(5);
    let (completed, _) = given.complete(&mut runner).await;
    assert_eq!((completed.verdict.status, name(&completed)), (Status::TimedOut, Some("wall_time")));
    assert_eq!(completed.verdict.exit_code, None);
    let found = completed.verdict.diagnostic.as_ref().map(|found| found.message.as_str());
    assert!(found.is_some_and(|it| it.starts_with("the compiler was still running")), "{found:?}");
    assert!(completed.to_kill.is_some(), "it still runs");
    finish(&backend, runner).await;
}

#[tokio::test]
async fn an_owners_program_is_compiled_once_and_each_answer_has_its_warnings() {
    let backend = gcc();
    let bounds = Bounds { bytes: 1000, entries: 9, age: Duration::from_secs(3600) };
    let mut given = Given::new(C, "int main", Mode::Once);
    given.compiled = Some(Mutex::new(CompiledPrograms::new(bounds)));
    for (owner, compiles) in [("ann", true), ("ann", false), ("bob", true)] {
        given.request.owner = String::from(owner);
        let mut runner = empty(&backend).await;
        let (completed, events) = given.complete(&mut runner).await;
        let took_time = completed.compile != Some(Duration::ZERO);
        assert_eq!(took_time, compiles, "{owner}");
        assert_eq!(text(&events, Stream::Stderr), "a warning, and more");
        assert_eq!(text(&events, Stream::Stdout), "no input");
        runner.sandbox.end().await;
    }

    // Nothing but the program is started now.
    let mut runner = empty(&backend).await;
    let source = io::Error::from_raw_os_error(NOEXEC);
    let program = String::from("/run/crucible/main");
    backend.fail_next(Operation::Start, SandboxError::Start { program, source });
    let (completed, _) = given.complete(&mut runner).await;
    assert_eq!((completed.verdict.status, name(&completed)), (Status::Failed, Some("StartError")));
    finish(&backend, runner).await;
}

#[tokio::test]
async fn a_compiler_that_cannot_be_started_is_our_error_unless_earlier_runs_are_there() {
    for mode in [Mode::Once, Mode::Session] {
        let backend = gcc();
        let mut runner = empty(&backend).await;
        let source = io::Error::from(io::ErrorKind::NotFound);
        let refused = SandboxError::Start { program: String::from(COMPILER), source };
        backend.fail_next(Operation::Start, refused);
        let (result, _) = Given::new(C, "int main", mode).run(&mut runner).await;
        match (mode, result) {
            (Mode::Once, Err(KernelError::Sandbox(SandboxError::Start { .. }))) => {}
            (Mode::Session, Ok(completed)) => assert_eq!(name(&completed), Some("StartError")),
            (_, Ok(completed)) => panic!("{mode:?}: {:?}", completed.verdict),
            (_, Err(error)) => panic!("{mode:?}: {error:?}"),
        }
        finish(&backend, runner).await;
    }
}

#[tokio::test]
async fn a_sandbox_that_is_gone_for_want_of_memory_is_the_programs_doing() {
    for oom_kills in [0, 1] {
        let backend = gcc();
        let mut runner = empty(&backend).await;
        let inside = backend.sandbox(0);
        inside.set_usage(Usage { oom_kills, ..inside.usage() });
        // Process 1 was killed before it could say that the program has begun.
        backend.fail_next(Operation::Start, SandboxError::Gone);
        match (oom_kills, Given::new(C, "int main", Mode::Once).run(&mut runner).await.0) {
            (0, Err(KernelError::Sandbox(SandboxError::Gone))) => {}
            (1, Ok(completed)) => assert_eq!(completed.verdict.status, Status::OutOfMemory),
            (_, Ok(completed)) => panic!("{oom_kills}: {:?}", completed.verdict),
            (_, Err(error)) => panic!("{oom_kills}: {error:?}"),
        }
        finish(&backend, runner).await;
    }
}

#[tokio::test]
async fn the_last_words_of_a_program_explain_its_end_and_decide_nothing() {
    let said = "main: main.c:7: main: Assertion `x' failed.\n";
    for (end, status, line) in [
        (Exit::Signal(6), Status::Killed, Some(7)),
        (Exit::Code(6), Status::Failed, None),
        (Exit::Code(0), Status::Succeeded, None),
    ] {
        let backend = FakeBackend::new(move |process| async move {
            if process.command.program == COMPILER {
                process.complain("main.c:3:1: warning: Assertion of the compiler's\n");
                process.inside.put_file(Root::Requests, "main", b"ELF", FileMode::Executable);
                return Exit::Code(0);
            }
            process.complain(said);
            end
        });
        let mut runner = empty(&backend).await;
        let (completed, _) = Given::new(C, "int main", Mode::Once).complete(&mut runner).await;
        let found = completed.verdict.diagnostic.and_then(|found| found.line);
        assert_eq!((completed.verdict.status, found), (status, line), "{end:?}");
        finish(&backend, runner).await;
    }
}
