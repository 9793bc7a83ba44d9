//! Connections from one sandbox.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use super::gate::Gate;
use super::limits::{HEAD, WHOLE};
use super::{http, socks};

/// The first byte of SOCKS 5; no method of HTTP begins with it.
const SOCKS: u8 = 5;

/// Serves a listening socket until its gate is closed.
pub async fn serve(listener: TcpListener, gate: Arc<Gate>) {
    let closed = gate.closed.clone();
    let serving = async {
        loop {
            gate.room().await;
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(_) => {
                    // There are too many open files, or the program has gone away already.
                    sleep(Duration::from_millis(20)).await;
                    continue;
                }
            };
            // Not before: who only waits must not hold what others need.
            let Some(place) = gate.place().await else {
                return;
            };
            let gate = Arc::clone(&gate);
            tokio::spawn(async move {
                let closed = gate.closed.clone();
                let whole = timeout(WHOLE, connection(stream, &gate));
                tokio::select! {
                    _ = whole => {}
                    () = closed.cancelled() => {}
                }
                drop(place);
            });
        }
    };
    tokio::select! {
        () = serving => {}
        () = closed.cancelled() => {}
    }
}

/// One connection, to its end.
async fn connection(stream: TcpStream, gate: &Arc<Gate>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut first = [0];
    if timeout(HEAD, stream.peek(&mut first)).await?? == 0 {
        return Ok(());
    }
    if first[0] == SOCKS {
        socks::serve(stream, gate).await
    } else {
        http::serve(stream, gate).await;
        Ok(())
    }
}
