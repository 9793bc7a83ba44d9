//! A child of a zygote closes itself in, by its own code. Before any other is born, one is compared with
//! a process that init has started, whose walls were tried at the start.

use std::io;

use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use super::{Host, LIMITS, nowhere, try_in};
use crate::sandbox::backend::{Process, Sandbox, SandboxError, Zygote};
use crate::sandbox::linux::client::factory::SandboxFactory;
use crate::sandbox::linux::client::sandbox::PATIENT;
use crate::sandbox::linux::probe::{Finding, NEIGHBOURS_DESCRIPTORS, Outcome, Probe};
use crate::sandbox::spec::SandboxLimits;

/// An interpreter with its libraries has more than what is tried elsewhere, and an operator may add some.
const MEMORY_BYTES: u64 = 1 << 30;
/// Those of a kernel: its standard streams, and the two pipes of the channel to the worker.
const DESCRIPTORS: &str = "/dev/null, 4 pipes, 0 sockets";

/// Has `zygote` fork into a sandbox of its own, and looks at the child.
///
/// # Errors
/// What is different from a process that was started.
pub async fn examine(
    factory: &SandboxFactory,
    host: &Host,
    zygote: &Zygote,
) -> Result<(), SandboxError> {
    if !host.fresh_proc {
        // Nobody inside can look at another process.
        return Ok(());
    }
    // One that stops waiting for its children holds up the end of their sandbox, too.
    timeout(PATIENT, look_at_child(factory, zygote)).await.unwrap_or_else(|elapsed| {
        let stage = String::from("looking at its child");
        Err(SandboxError::Zygote { stage, source: io::Error::from(elapsed) })
    })
}

async fn look_at_child(factory: &SandboxFactory, zygote: &Zygote) -> Result<(), SandboxError> {
    let sandbox = factory.make(SandboxLimits { memory_bytes: MEMORY_BYTES, ..LIMITS }).await?;
    let mut child = sandbox.start_from(zygote).await?;
    ready(&mut child).await?;
    let pid = i32::try_from(child.id.0).map_err(|_| SandboxError::Gone)?;
    let tried = try_in(&sandbox, Probe::Neighbour(pid), &nowhere()).await;
    sandbox.end().await;
    let against: Vec<String> =
        tried?.findings.into_iter().filter(|finding| !is_as_it_must(finding)).map(words).collect();
    if against.is_empty() {
        return Ok(());
    }
    let stage = format!("its child is not confined as others are: {}", against.join("; "));
    Err(SandboxError::Zygote { stage, source: io::Error::from(io::ErrorKind::PermissionDenied) })
}

/// Waits for its first word: until then it is still closing itself in.
async fn ready(child: &mut Process) -> Result<(), SandboxError> {
    let control = child.control.as_mut().ok_or(SandboxError::Gone)?;
    let heard = control.reader.read(&mut [0; 1]).await;
    heard
        .and_then(|length| {
            if length == 0 { Err(io::Error::from(io::ErrorKind::UnexpectedEof)) } else { Ok(()) }
        })
        .map_err(|source| {
            let stage = String::from("its child does not get ready");
            SandboxError::Zygote { stage, source }
        })
}

fn is_as_it_must(Finding { attempt, outcome }: &Finding) -> bool {
    attempt == NEIGHBOURS_DESCRIPTORS && *outcome == Outcome::Seen(String::from(DESCRIPTORS))
}

fn words(Finding { attempt, outcome }: Finding) -> String {
    format!("{attempt}: {outcome:?}")
}
