//! The worker's ear at an init.

use std::sync::Arc;

use super::caller::{Packets, Pending, Running};
use super::protocol::{FromInit, InitReply};
use super::sandbox::Reply;

/// Reads what init says until it is gone.
pub async fn listen(init: Arc<Packets>, pending: Arc<Pending<Reply>>) {
    /// The sequence of [`super::sandbox::LinuxSandbox::open`]'s first expectation.
    const FIRST: u64 = 1;
    let mut running = Running::default();
    loop {
        let (message, fds) = match init.receive::<FromInit>().await {
            Ok(Some(received)) => received,
            Ok(None) => break,
            Err(error) => {
                tracing::warn!(%error, "init of a sandbox sent something that is no message");
                break;
            }
        };
        match message {
            FromInit::Ready => pending.resolve(FIRST, (InitReply::Done, fds, None)),
            FromInit::SetUpFailed(failure) => {
                pending.resolve(FIRST, (InitReply::Failed(failure), fds, None));
            }
            FromInit::Reply { sequence, reply } => {
                // What nobody has asked for is not remembered: init could say it for ever.
                let exit = match &reply {
                    InitReply::Started { pid } if pending.is_expected(sequence) => {
                        Some(running.begin(*pid))
                    }
                    InitReply::Started { .. } => None,
                    InitReply::Done
                    | InitReply::Content { .. }
                    | InitReply::Usage(_)
                    | InitReply::Sockets { .. }
                    | InitReply::Failed(_) => None,
                };
                pending.resolve(sequence, (reply, fds, exit));
            }
            FromInit::Ended { pid, end } => running.end(pid, end),
        }
    }
    pending.close();
}
