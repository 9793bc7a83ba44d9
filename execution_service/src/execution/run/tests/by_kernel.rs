//! Runs of a language with a kernel.

use super::*;

#[tokio::test]
async fn a_program_finds_its_files_and_its_input_and_is_heard() {
    for mode in [Mode::Once, Mode::Session] {
        let backend = FakeBackend::new(kernel);
        let mut runner = warm(&backend).await;
        let mut given = Given::new(PYTHON, "hello", mode).with_file();
        given.request.stdin = b"input".to_vec();
        let (completed, events) = given.complete(&mut runner).await;
        assert_eq!(
            (completed.verdict.status, completed.verdict.exit_code),
            (Status::Succeeded, Some(0))
        );
        assert!(matches!(events.first(), Some(Event::Started)), "{events:?}");
        assert_eq!(text(&events, Stream::Stdout), "hello");
        assert_eq!(completed.stdout.bytes, 5);
        let inside = backend.sandbox(0);
        let file = |root, path| inside.file(root, path).map(|(content, _)| content);
        assert_eq!(file(Root::Workspace, "data/a.txt").as_deref(), Some(&b"content"[..]));
        assert_eq!(file(Root::Requests, STDIN).as_deref(), Some(&b"input"[..]));
        let kept = mode == Mode::Session;
        assert_eq!((runner.kernel.is_some(), completed.kernel_lost), (kept, !kept));
        finish(&backend, runner).await;
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_an_error_of_the_program() {
    let rows = [(ISDIR, Status::Failed, "WriteError"), (NOSPC, Status::DiskLimitExceeded, "disk")];
    for (errno, status, named) in rows {
        for has_kernel in [true, false] {
            let backend = FakeBackend::new(kernel);
            let mut runner = if has_kernel { warm(&backend).await } else { empty(&backend).await };
            let given = Given::new(PYTHON, "hello", Mode::Session).with_file();
            backend.fail_next(Operation::Write, unwritable(errno));
            let (completed, events) = given.complete(&mut runner).await;
            assert_eq!((completed.verdict.status, name(&completed)), (status, Some(named)));
            assert_eq!(completed.verdict.exit_code, None, "there was no program yet");
            assert!(events.is_empty(), "and none began: {events:?}");
            assert_eq!(runner.kernel.is_some(), has_kernel);
            assert!(!completed.kernel_lost, "nothing is lost by that");

            let (completed, _) = given.complete(&mut runner).await;
            assert_eq!(completed.verdict.status, Status::Succeeded, "the next one can");
            finish(&backend, runner).await;
        }
    }
}

#[tokio::test]
async fn a_sandbox_that_is_gone_is_our_error() {
    let backend = FakeBackend::new(kernel);
    let mut runner = warm(&backend).await;
    backend.sandbox(0).die();
    let (result, events) =
        Given::new(PYTHON, "hello", Mode::Once).with_file().run(&mut runner).await;
    let error = result.map(|completed| completed.verdict).expect_err("it is gone");
    assert!(matches!(error, KernelError::Sandbox(SandboxError::Gone)), "{error:?}");
    assert!(events.is_empty());
    finish(&backend, runner).await;
}

#[tokio::test]
async fn a_hand_over_that_hangs_ends_with_the_wish_to_end_it_and_costs_the_kernel() {
    for has_kernel in [true, false] {
        let backend = FakeBackend::new(kernel);
        let mut runner = if has_kernel { warm(&backend).await } else { empty(&backend).await };
        let process = runner.kernel.as_ref().map(|kernel| kernel.process.id);
        backend.sandbox(0).fall_silent();
        let given = Given::new(PYTHON, "hello", Mode::Session).with_file();
        given.cancelled.cancel();
        let (completed, _) = given.complete(&mut runner).await;
        assert_eq!((completed.verdict.status, name(&completed)), (Status::Cancelled, None));
        assert!(runner.kernel.is_none(), "what it was told by halves must not be heard later");
        assert_eq!(completed.to_kill, process);
        assert_eq!(completed.kernel_lost, has_kernel, "there was nothing else to lose");
        finish(&backend, runner).await;
    }
}

#[tokio::test]
async fn a_kernel_that_ends_with_its_program_is_lost_and_the_next_run_has_another() {
    let backend = FakeBackend::new(kernel);
    let mut runner = warm(&backend).await;
    let (completed, _) = Given::new(PYTHON, "exit", Mode::Session).complete(&mut runner).await;
    assert_eq!((completed.verdict.status, completed.verdict.exit_code), (Status::Failed, Some(3)));
    assert!(completed.kernel_lost && runner.kernel.is_none());
    let (completed, events) =
        Given::new(PYTHON, "again", Mode::Session).complete(&mut runner).await;
    assert_eq!((completed.verdict.status, completed.kernel_lost), (Status::Succeeded, false));
    assert_eq!(text(&events, Stream::Stdout), "again");
    assert_eq!(backend.processes(), 1);
    finish(&backend, runner).await;
}

#[tokio::test]
async fn an_interpreter_that_does_not_get_ready_is_our_error_and_one_that_cannot_start_is_not() {
    let backend = FakeBackend::new(|process| async move {
        process.complain("no module named site");
        Exit::Code(1)
    });
    let mut runner = empty(&backend).await;
    let given = Given::new(PYTHON, "hello", Mode::Session);
    let (result, _) = given.run(&mut runner).await;
    let error = result.map(|completed| completed.verdict).expect_err("it cannot run");
    let KernelError::NotReady(why) = &error else { panic!("{error:?}") };
    assert!(why.contains("no module named site"), "{why}");

    // In a session earlier runs may have taken every process there is.
    let source = io::Error::from(io::ErrorKind::WouldBlock);
    let refused = SandboxError::Start { program: String::from(COMPILER), source };
    backend.fail_next(Operation::Start, refused);
    let (completed, _) = given.complete(&mut runner).await;
    assert_eq!(name(&completed), Some("StartError"));
    assert!(!completed.kernel_lost, "there was none");
    finish(&backend, runner).await;
}

#[tokio::test]
async fn a_run_pays_for_what_it_used_and_not_for_the_one_before() {
    let backend = FakeBackend::new(|mut process| async move {
        process.ready().await;
        while let Some(run) = process.next_run().await {
            let mut usage = process.inside.usage();
            usage.cpu += Duration::from_secs(2);
            usage.oom_kills += 1;
            usage.disk_bytes = 100;
            process.inside.set_usage(usage);
            process.done(run.id, 0).await;
        }
        Exit::Code(0)
    });
    let mut runner = warm(&backend).await;
    for _ in 0..2 {
        let (completed, _) = Given::new(PYTHON, "x", Mode::Session).complete(&mut runner).await;
        let Usage { cpu, oom_kills, disk_bytes, .. } = completed.usage;
        assert_eq!((cpu, oom_kills, disk_bytes), (Duration::from_secs(2), 1, 100));
    }
    finish(&backend, runner).await;
    until(|| backend.processes() == 0).await;
}
