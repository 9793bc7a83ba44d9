//! One end of a terminal as a stream in each direction.
//!
//! Both are always read: what waits in one stream takes room from all calls on its connection. Whoever shows the
//! output acknowledges it, and who types sees how much of that was taken.

use futures::{Stream, StreamExt, stream};
use proto::execution_v1 as wire;
use proto::execution_v1::from_terminal::Message as From;
use proto::execution_v1::to_terminal::Message as To;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Status, Streaming};

use super::process_from_wire;
use super::process_to_wire::terminal_frame;
use super::status::{invalid, status};
use crate::sandbox::backend::ProcessId;
use crate::session::processes::{Frame, Viewer};
use crate::worker::{Attached, Keys, Worker, WorkerError};

/// Who looks at a terminal, for as long as somebody wants to know what is seen.
struct Looking {
    viewer: Viewer,
    /// Fires when nobody speaks any more.
    left: CancellationToken,
    /// Has who listens to that leave as well.
    _leaves: DropGuard,
}

/// What is to be seen of the terminal that the first message of `said` names. The rest is passed on for as long as
/// this is held.
pub async fn attach(
    worker: &Worker,
    mut said: Streaming<wire::ToTerminal>,
) -> Result<impl Stream<Item = Result<wire::FromTerminal, Status>> + Send + use<>, Status> {
    let first = said.message().await?.and_then(|first| first.message);
    let Some(To::Attach(wire::AttachTerminal { session_id, owner, process_id, since })) = first
    else {
        return Err(invalid("attach", "must be the first message"));
    };
    let session = (session_id.as_str(), owner.as_str());
    let attached = worker.attach_terminal(session, ProcessId(process_id), since);
    let Attached { viewer, keys, offset } = attached.map_err(|error| status(&error))?;
    let left = CancellationToken::new();
    let speaking = left.clone();
    tokio::spawn(async move {
        speaking.run_until_cancelled(pass_on(said, keys)).await;
        speaking.cancel();
    });
    let looking = Looking { viewer, _leaves: left.clone().drop_guard(), left };
    let seen = stream::unfold(Some(looking), |looking| async {
        let mut looking = looking?;
        let frame = tokio::select! {
            frame = looking.viewer.next() => frame,
            () = looking.left.cancelled() => return None,
        };
        let is_last = matches!(frame, Frame::Ended(_) | Frame::TakenOver);
        Some((terminal_frame(frame), (!is_last).then_some(looking)))
    });
    let missing = offset.saturating_sub(since);
    let begins = From::Attached(wire::TerminalAttached { offset, missing });
    let begins = wire::FromTerminal { message: Some(begins) };
    Ok(stream::iter([begins]).chain(seen).map(Ok))
}

/// Passes on what is said, until it ends or makes no sense.
async fn pass_on(mut said: Streaming<wire::ToTerminal>, keys: Keys) {
    while let Ok(Some(wire::ToTerminal { message: Some(message) })) = said.message().await {
        let done = match message {
            To::Attach(_) => return,
            To::Input(data) => keys.typed(&data).await,
            To::Acknowledged(offset) => {
                keys.acknowledge(offset);
                Ok(())
            }
            To::Resize(size) => match process_from_wire::size(size) {
                Ok(size) => keys.resize(size),
                Err(_) => return,
            },
        };
        match done {
            // It has ended, as will be seen.
            Ok(()) | Err(WorkerError::Process(_)) => {}
            Err(error) => {
                tracing::info!(%error, "nothing can be typed in a terminal any more");
                return;
            }
        }
    }
}
