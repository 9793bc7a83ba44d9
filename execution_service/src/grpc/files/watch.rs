//! What changes in a workspace, on its way to a caller.

use proto::execution_v1 as wire;
use tokio::sync::mpsc::Sender;
use tonic::Status;

use super::to_wire;
use crate::grpc::status::status;
use crate::session::SessionError;
use crate::worker::WorkerError;
use crate::worker::files::{Changes, Watch};

/// Tells of changes until the caller has gone or the session has ended. Whoever takes them slowly gets what has changed
/// meanwhile at once.
pub async fn serve(
    mut watch: Watch,
    first: Changes,
    answers: Sender<Result<wire::FileChanges, Status>>,
) {
    // That it is watched now.
    if answers.send(Ok(to_wire::changes(first))).await.is_err() {
        return;
    }
    loop {
        let looked = tokio::select! {
            looked = watch.next() => looked,
            () = answers.closed() => return,
        };
        let said = match looked {
            Ok(changes) if changes.changes.is_empty() => continue,
            Ok(changes) => answers.send(Ok(to_wire::changes(changes))).await,
            Err(error) => {
                let last = match reason(&error) {
                    Some(reason) => {
                        let ended = String::from(reason);
                        Ok(wire::FileChanges { ended, ..wire::FileChanges::default() })
                    }
                    None => Err(status(&error)),
                };
                let _ = answers.send(last).await;
                return;
            }
        };
        if said.is_err() {
            return;
        }
    }
}

/// Why there will be no more, if the session or its directory is over.
fn reason(error: &WorkerError) -> Option<&'static str> {
    match error {
        WorkerError::Session(SessionError::Expired) => Some("session_expired"),
        WorkerError::Session(SessionError::Lost) => Some("session_lost"),
        WorkerError::Session(_) => Some("session_ended"),
        WorkerError::File(_) => Some("directory_gone"),
        _ => None,
    }
}
