//! What ends the worker.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::sandbox::backend::SandboxBackend;
use crate::sandbox::linux::LinuxBackend;

/// How long everything may take when the worker is to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Why the worker ends.
pub enum End {
    /// By a signal, or because the process that waits for us was told or died.
    Asked,
    /// Without it there are no sandboxes.
    SpawnerGone,
}

/// Waits for it, and has everything end then.
pub async fn wait_for_end(
    stop: tokio::net::unix::pipe::Receiver,
    backend: Arc<LinuxBackend>,
    shutdown: CancellationToken,
) -> io::Result<End> {
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let end = tokio::select! {
        _ = terminate.recv() => End::Asked,
        _ = interrupt.recv() => End::Asked,
        _ = stop.readable() => End::Asked,
        () = backend.failed() => End::SpawnerGone,
    };
    tracing::info!("ending");
    shutdown.cancel();
    // Whatever hangs, the process does not.
    tokio::spawn(async {
        tokio::time::sleep(GRACE).await;
        tracing::error!("could not end in time");
        std::process::exit(1);
    });
    Ok(end)
}
