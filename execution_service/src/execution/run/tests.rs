//! Runs in a runner: what can go wrong before the program, and whose fault it is.

use tokio::sync::mpsc;

use super::*;
use crate::execution::compiled::Bounds;
use crate::execution::sample::{self, LIMITS, SETTINGS};
use crate::execution::sharing::{Activity, What};
use crate::execution::stream::Stream;
use crate::language::Language;
use crate::language::c::C;
use crate::language::python::PYTHON;
use crate::sandbox::backend::SandboxBackend;
use crate::sandbox::fake::{FakeBackend, FakeProcess, Operation, until};
use crate::sandbox::spec::{Exit, SandboxSpec, Stdin};
use crate::sandbox::workspace::{WorkspaceFile, WorkspacePath};

const COMPILER: &str = "/usr/bin/gcc";
const ISDIR: i32 = 21;
const NOEXEC: i32 = 8;
const NOSPC: i32 = 28;

/// A run that is about to begin.
struct Given {
    request: Request,
    limits: Limits,
    settings: RunSettings,
    mode: Mode,
    compiled: Option<Mutex<CompiledPrograms>>,
    cancelled: CancellationToken,
}

impl Given {
    fn new(language: Language, code: &str, mode: Mode) -> Self {
        Self {
            request: sample::request(language, code),
            limits: LIMITS,
            settings: SETTINGS,
            mode,
            compiled: None,
            cancelled: CancellationToken::new(),
        }
    }

    fn with_file(mut self) -> Self {
        let path = WorkspacePath::parse("data/a.txt").expect("a path");
        self.request.files.push(WorkspaceFile { path, content: b"content".to_vec() });
        self
    }

    async fn run(&self, runner: &mut Runner) -> (Result<Completed, KernelError>, Vec<Event>) {
        let (cpu, sandbox) = (self.limits.cpu, self.limits.sandbox);
        let share = Activity::default().begin(What::Run { cpu, sandbox });
        let run = Run {
            request: &self.request,
            limits: &self.limits,
            executable: COMPILER,
            version: "12",
            compiled: self.compiled.as_ref(),
            outputs: None,
            mode: self.mode,
            settings: self.settings,
            cancelled: &self.cancelled,
            share: &share,
        };
        let (sink, said) = Sink::new();
        let result = run.run(runner, &sink).await;
        drop(sink);
        (result, all(said).await)
    }

    async fn complete(&self, runner: &mut Runner) -> (Completed, Vec<Event>) {
        let (result, events) = self.run(runner).await;
        (result.expect("the sandbox is well"), events)
    }
}

async fn all(mut said: mpsc::UnboundedReceiver<Event>) -> Vec<Event> {
    let mut events = Vec::new();
    while let Some(event) = said.recv().await {
        events.push(event);
    }
    events
}

/// What was written to a stream, and that none of it is missing.
fn text(events: &[Event], wanted: Stream) -> String {
    let mut whole = Vec::new();
    for event in events {
        if let Event::Output { stream, offset, data } = event
            && *stream == wanted
        {
            assert_eq!(*offset, whole.len() as u64, "{stream:?} has a hole");
            whole.extend_from_slice(data);
        }
    }
    String::from_utf8(whole).expect("text")
}

async fn empty(backend: &FakeBackend) -> Runner {
    let made = backend.create(&SandboxSpec::closed(LIMITS.sandbox)).await;
    Runner::new(Arc::from(made.expect("a sandbox")))
}

async fn warm(backend: &FakeBackend) -> Runner {
    let started = Runner::start(backend, PYTHON, "/usr/bin/python3", LIMITS.sandbox).await;
    started.expect("a kernel")
}

async fn finish(backend: &FakeBackend, runner: Runner) {
    runner.sandbox.end().await;
    drop(runner);
    backend.assert_all_is_ended();
    assert_eq!(backend.processes(), 0);
}

fn name(completed: &Completed) -> Option<&str> {
    completed.verdict.diagnostic.as_ref().map(|diagnostic| &*diagnostic.name)
}

/// A kernel that prints its programs, and exits with 3 when told to `exit`.
async fn kernel(mut process: FakeProcess) -> Exit {
    process.ready().await;
    while let Some(run) = process.next_run().await {
        if run.code == "exit" {
            return Exit::Code(3);
        }
        process.print(&run.code);
        if !run.in_session {
            process.exiting(run.id, 0).await;
            return Exit::Code(0);
        }
        process.done(run.id, 0).await;
    }
    Exit::Code(0)
}

fn unwritable(errno: i32) -> SandboxError {
    let source = io::Error::from_raw_os_error(errno);
    SandboxError::Write { path: String::from("data/a.txt"), source }
}

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
                Stdin::Null | Stdin::Pipe => None,
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
