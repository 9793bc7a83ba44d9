//! A worker whose sandboxes are in memory, and how runs and sessions fare with it.

mod alone;
mod contexts;
mod files;
mod in_session;
mod input;
mod pausing;
mod processes;
mod sessions;

use std::collections::BTreeMap;

use super::*;
use crate::execution::limits::RequestedLimits;
use crate::execution::outcome::{Outcome, Status};
use crate::execution::sample::{self, LIMITS, SETTINGS, toolchains};
use crate::execution::stream::Stream;
use crate::language::python::PYTHON;
use crate::pool::{Pool, PoolSize};
use crate::sandbox::backend::ProcessId;
use crate::sandbox::fake::{FakeBackend, FakeProcess, Inside, until};
use crate::sandbox::files::{FileMode, Root};
use crate::sandbox::spec::{ControlChannel, Exit};
use crate::session::{NewContext, NewSession, SessionRules};

const OWNER: &str = "ann";
const HOUR: Duration = Duration::from_secs(3600);

/// A file by which programs that `wait` come to their end.
const GO: &str = "go";

/// A kernel that understands a few words, and prints whatever else it is told to run. A command, which has no
/// kernel, runs until it is killed.
async fn kernel(mut process: FakeProcess) -> Exit {
    if process.command.control == ControlChannel::None {
        return process.hang().await;
    }
    process.ready().await;
    while let Some(run) = process.next_run().await {
        match run.code.as_str() {
            "crash" => return Exit::Signal(11),
            "hang" => return process.hang().await,
            "break out" => {
                process.inside.die();
                return process.hang().await;
            }
            // Something that goes on after the run: a child, and a daemon that has left the tree.
            "leave" => {
                process.leave_running(false);
                process.leave_running(true);
            }
            "leave and hang" => {
                process.leave_running(false);
                process.leave_running(true);
                return process.hang().await;
            }
            "echo" => {
                process.read_from("stdin");
                while let Some(line) = process.read_line().await {
                    process.print(line);
                }
            }
            "wait" => wait_for_go(&process).await,
            "until interrupted" => {
                process.signalled().await;
                process.done(run.id, 130).await;
                continue;
            }
            "exit afterwards" => {
                process.done(run.id, 0).await;
                wait_for_go(&process).await;
                return Exit::Code(0);
            }
            text => process.print(text),
        }
        if !run.in_session {
            process.exiting(run.id, 0).await;
            return Exit::Code(0);
        }
        process.done(run.id, 0).await;
    }
    Exit::Code(0)
}

async fn wait_for_go(process: &FakeProcess) {
    while process.inside.file(Root::Workspace, GO).is_none() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A worker that keeps no warm sandboxes.
struct Scene {
    backend: Arc<FakeBackend>,
    worker: Arc<Worker>,
}

impl Scene {
    fn new() -> Self {
        Self::with(Size { slots: 8, waiting: 8, waiting_of_one: 8 }, FakeBackend::new(kernel))
    }

    /// In which one run goes on at a time.
    fn narrow() -> Self {
        Self::with(Size { slots: 1, waiting: 1, waiting_of_one: 1 }, FakeBackend::new(kernel))
    }

    fn with(size: Size, backend: Arc<FakeBackend>) -> Self {
        let erased: Arc<dyn SandboxBackend> = Arc::<FakeBackend>::clone(&backend);
        let sizes = PoolSize { initial: 0, max: 0 };
        let toolchains = toolchains(&[PYTHON], &[]);
        let pool = Pool::new(Arc::clone(&erased), toolchains, LIMITS.sandbox, sizes);
        let worker = Worker {
            instance_id: String::from("test"),
            isolation: Isolation { walls: Vec::new() },
            range: LimitRange { defaults: LIMITS, maxima: LIMITS },
            settings: SETTINGS,
            compiled: None,
            outputs: None,
            backend: erased,
            pools: Pools::new(pool),
            sessions: Registry::new(SessionRules { max: 9, max_per_owner: 9, idle: HOUR }),
            owners: Owners::roomy(),
            admission: Admission::new(size),
            network: Network { operator: crate::network::Operator::default(), broker: None },
            tasks: Tasks::new(),
            shutdown: CancellationToken::new(),
            running: Mutex::default(),
            tally: Tally::default(),
            first_mounts: None,
        };
        Self { backend, worker: Arc::new(worker) }
    }

    /// The only sandbox.
    fn inside(&self) -> Arc<Inside> {
        assert_eq!(self.backend.created(), 1);
        self.backend.sandbox(0)
    }

    /// Lets programs that `wait` come to their end.
    fn go(&self) {
        self.inside().put_file(Root::Workspace, GO, b"", FileMode::Regular);
    }

    async fn begin_session(&self) -> Arc<Session> {
        self.begin(new_session("s", Some(PYTHON))).await
    }

    async fn begin(&self, new: NewSession) -> Arc<Session> {
        let made = self.worker.create_session(new, RequestedLimits::default()).await;
        made.unwrap_or_else(|error| panic!("a session: {error}"))
    }

    /// Makes a context, which has no kernel yet.
    async fn add_context(&self, id: &str) {
        let id = String::from(id);
        let new = NewContext { id, language: PYTHON, env: BTreeMap::new(), directory: None };
        let made = self.worker.create_context(("s", OWNER), new).await;
        made.unwrap_or_else(|error| panic!("a context: {error}"));
    }

    fn kernel_of(&self, context: &str) -> Option<ProcessId> {
        let session = self.worker.sessions.get("s", OWNER).expect("it lives");
        let contexts = session.contexts.all();
        contexts.iter().find(|other| other.id == context).expect("it has it").kernel()
    }

    /// Accepts a run of `code`, which is its name, too.
    fn alone(&self, code: &str) -> Accepted {
        self.accept(request(code), None)
    }

    /// The same, in a context of the session.
    fn in_context(&self, context: &str, code: &str) -> Accepted {
        self.accept(request(code), Some(target(context)))
    }

    fn accept(&self, request: Request, target: Option<Target>) -> Accepted {
        let accepted = self.worker.execute(request, target, None);
        accepted.unwrap_or_else(|error| panic!("it is accepted: {error}"))
    }

    fn refused(&self, code: &str, target: Option<Target>) -> Option<WorkerError> {
        self.worker.execute(request(code), target, None).map(drop).err()
    }

    /// How many runs have ended with `status`.
    fn tally(&self, status: &str) -> u64 {
        self.worker.tally.counts().runs.get(status).copied().unwrap_or_default()
    }

    /// Everything must have been given back, after the sessions.
    async fn end(self) {
        let Self { backend, worker } = self;
        worker.sessions.end_all().await;
        worker.tasks.finish().await;
        assert!(worker.lock_running().is_empty(), "runs that nobody has taken off the list");
        assert_eq!(worker.admission.waiting(), 0);
        assert_eq!((worker.sessions.processes(), worker.sessions.count()), (0, 0));
        backend.assert_all_is_ended();
        until(|| backend.processes() == 0).await;
    }
}

fn new_session(id: &str, language: Option<Language>) -> NewSession {
    NewSession {
        id: String::from(id),
        owner: String::from(OWNER),
        language,
        env: BTreeMap::new(),
        ttl: HOUR,
        idle: None,
        auto_resume: true,
        network: None,
        files: Vec::new(),
    }
}

fn request(code: &str) -> Request {
    Request { id: String::from(code), ..sample::request(PYTHON, code) }
}

fn target(context: &str) -> Target {
    Target { session: String::from("s"), context: String::from(context) }
}

/// What has become of a run.
#[derive(Debug)]
struct Finished {
    events: Vec<Event>,
    done: Result<(), WorkerError>,
}

impl Finished {
    /// The only outcome, which is the last of its events.
    #[track_caller]
    fn outcome(&self) -> &Outcome {
        assert!(self.done.is_ok(), "{:?}", self.done);
        match self.events.split_last() {
            Some((Event::Outcome(outcome), before)) => {
                assert!(!before.iter().any(|event| matches!(event, Event::Outcome(_))));
                outcome
            }
            Some(_) | None => panic!("{:?}", self.events),
        }
    }

    #[track_caller]
    fn status(&self) -> Status {
        self.outcome().status
    }

    /// Why there is no outcome.
    #[track_caller]
    fn error(&self) -> &WorkerError {
        let outcomes = self.events.iter().filter(|event| matches!(event, Event::Outcome(_)));
        assert_eq!(outcomes.count(), 0, "{:?}", self.events);
        self.done.as_ref().expect_err("it has failed")
    }

    fn began(&self) -> bool {
        self.events.iter().any(|event| matches!(event, Event::Started))
    }

    fn stdout(&self) -> String {
        let mut whole = Vec::new();
        for event in &self.events {
            if let Event::Output { stream: Stream::Stdout, data, .. } = event {
                whole.extend_from_slice(data);
            }
        }
        String::from_utf8(whole).expect("text")
    }
}

async fn finished(mut accepted: Accepted) -> Finished {
    let mut events = Vec::new();
    while let Some(event) = accepted.events.recv().await {
        events.push(event);
    }
    Finished { events, done: accepted.done.await.expect("it does not panic") }
}

/// Waits until the program runs.
async fn started(accepted: &mut Accepted) {
    let first = accepted.events.recv().await;
    assert!(matches!(first, Some(Event::Started)), "{first:?}");
}

#[test]
fn a_run_waits_no_longer_than_its_own_time_leaves() {
    let (now, second) = (Instant::now(), Duration::from_secs(1));
    assert_eq!(latest_start(now, 61 * second, 31 * second), now + 30 * second);
    assert_eq!(latest_start(now, 5 * second, 31 * second), now + 5 * second);
    assert_eq!(latest_start(now, 31 * second, 31 * second), now + 31 * second);
}
