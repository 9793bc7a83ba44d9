//! What a program and its kernel may do, and what is then seen of it.

mod ending;
mod interrupting;
mod output;
mod stopping;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::execution::handle::Handle;
use crate::execution::limits::Limits;
use crate::execution::outcome::Accounting;
use crate::execution::sample::LIMITS;
use crate::execution::sharing::{Activity, What};
use crate::sandbox::backend::{Control, Excess, SandboxBackend};
use crate::sandbox::fake::{FakeBackend, FakeProcess, Operation};
use crate::sandbox::spec::{Command, ControlChannel, SandboxSpec, Stdin, Usage};

/// The run that is driven.
const RUN: u64 = 7;
/// Another one, of which somebody still speaks.
const OTHER: u64 = 8;

/// How it is driven.
struct Case {
    /// Absent for a command, which has no kernel.
    kernel: Option<String>,
    in_session: bool,
    limits: Limits,
    hard_output: u64,
    cancelled: CancellationToken,
    handle: Option<Handle>,
    /// Something else goes on in the sandbox.
    shared: bool,
}

impl Case {
    /// A kernel, told to run something.
    fn once() -> Self {
        Self {
            kernel: Some(format!("once {RUN}")),
            in_session: false,
            limits: LIMITS,
            hard_output: 1 << 30,
            cancelled: CancellationToken::new(),
            handle: None,
            shared: false,
        }
    }

    fn session() -> Self {
        Self { in_session: true, kernel: Some(format!("session {RUN}")), ..Self::once() }
    }

    fn command() -> Self {
        Self { kernel: None, ..Self::once() }
    }

    /// Of which the kernel is told more than fits into its pipe.
    fn long() -> Self {
        Self { kernel: Some(format!("once {RUN}{}", " ".repeat(200 << 10))), ..Self::once() }
    }

    fn wall(self, milliseconds: u64) -> Self {
        let wall = Duration::from_millis(milliseconds);
        Self { limits: Limits { wall, ..self.limits }, ..self }
    }
}

/// What was seen and said.
struct Seen {
    driven: Driven,
    events: Vec<Event>,
    signals: Vec<Signal>,
}

impl Seen {
    /// The pieces of a stream, each with its offset.
    fn pieces(&self, wanted: Stream) -> Vec<(u64, &[u8])> {
        let pieces = self.events.iter().filter_map(|event| match event {
            Event::Output { stream, offset, data } if *stream == wanted => {
                Some((*offset, &data[..]))
            }
            Event::Output { .. } | Event::Started | Event::Result(_) | Event::Outcome(_) => None,
        });
        pieces.collect()
    }

    /// A stream of which nothing was left out.
    fn whole(&self, stream: Stream) -> String {
        let mut whole = Vec::new();
        for (offset, data) in self.pieces(stream) {
            assert_eq!(offset, whole.len() as u64, "{stream:?} has a hole");
            whole.extend_from_slice(data);
        }
        String::from_utf8(whole).expect("text")
    }

    /// The texts of the results.
    fn results(&self) -> Vec<&str> {
        let results = self.events.iter().filter_map(|event| match event {
            Event::Result(result) => result.mime.get("text/plain").map(String::as_str),
            Event::Output { .. } | Event::Started | Event::Outcome(_) => None,
        });
        results.collect()
    }
}

async fn attempt<F, R>(case: Case, script: F) -> Result<Seen, SandboxError>
where
    F: Fn(FakeProcess) -> R + Send + Sync + 'static,
    R: Future<Output = Exit> + Send + 'static,
{
    let backend = FakeBackend::new(script);
    attempt_in(&backend, case).await
}

async fn attempt_in(backend: &Arc<FakeBackend>, case: Case) -> Result<Seen, SandboxError> {
    let sandbox = backend.create(&SandboxSpec::closed(LIMITS.sandbox)).await?;
    let control = match case.kernel {
        Some(_) => ControlChannel::Pipes,
        None => ControlChannel::None,
    };
    let command = Command {
        program: String::from("/bin/fake"),
        args: Vec::new(),
        env: BTreeMap::new(),
        working_directory: String::from("/"),
        stdin: Stdin::Null,
        control,
    };
    let mut process = sandbox.start(command).await?;
    let mut channel =
        process.control.take().map(|Control { reader, writer }| (Frames::new(reader), writer));
    let (kernel, telling) = match (&mut channel, case.kernel) {
        (Some((frames, writer)), Some(line)) => {
            (Some((frames, RUN)), Some(Telling::new(writer, line)))
        }
        (None, _) | (_, None) => (None, None),
    };
    let activity = Activity::default();
    let _other = case.shared.then(|| activity.begin(What::Command));
    let share = activity.begin(What::Run { cpu: case.limits.cpu, sandbox: case.limits.sandbox });
    let rules = Rules {
        large: None,
        limits: &case.limits,
        hard_output: case.hard_output,
        accounting: Accounting::Enforced,
        before: Usage::default(),
        share: &share,
        cancelled: &case.cancelled,
        handle: case.handle.as_ref(),
    };
    let running =
        Running { process: &mut process, kernel, telling, ends_with_done: case.in_session };
    let (sink, mut said) = Sink::new();
    let mut recording = Recording::new(None, "run", "ann");
    let driven = drive(sandbox.as_ref(), running, rules, &sink, &mut recording).await;
    drop(sink);
    let mut events = Vec::new();
    while let Some(event) = said.recv().await {
        events.push(event);
    }
    let signals = backend.sandbox(0).signals().into_iter().map(|(_, signal)| signal).collect();
    sandbox.end().await;
    backend.assert_all_is_ended();
    Ok(Seen { driven: driven?, events, signals })
}

async fn follow<F, R>(case: Case, script: F) -> Seen
where
    F: Fn(FakeProcess) -> R + Send + Sync + 'static,
    R: Future<Output = Exit> + Send + 'static,
{
    attempt(case, script).await.expect("the sandbox is well")
}

/// Says that the run `id` has failed.
async fn fail(process: &mut FakeProcess, id: u64, name: &str) {
    let diagnostic = json!({ "kind": "exception", "name": name, "message": "no" });
    let done = json!({ "event": "done", "id": id, "exit_code": 1, "diagnostic": diagnostic });
    process.say(&done.to_string()).await;
}
