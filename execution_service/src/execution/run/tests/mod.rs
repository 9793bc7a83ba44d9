//! Runs in a runner: what can go wrong before the program, and whose fault it is.

mod by_kernel;
mod compiled;

use tokio::sync::mpsc;

use super::*;
use crate::execution::compiled::Bounds;
use crate::execution::sample::{self, LIMITS, SETTINGS, toolchains};
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
            watched: None,
            request: &self.request,
            limits: &self.limits,
            executable: COMPILER,
            version: "12",
            compiled: self.compiled.as_ref(),
            outputs: None,
            mode: self.mode,
            settings: self.settings,
            cancelled: &self.cancelled,
            handle: None,
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
    Runner::new(Arc::from(made.expect("a sandbox")), toolchains(&Language::ALL, &[]))
}

async fn warm(backend: &FakeBackend) -> Runner {
    let toolchains = toolchains(&Language::ALL, &[]);
    let started = Runner::start(backend, PYTHON, &toolchains, LIMITS.sandbox).await;
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
