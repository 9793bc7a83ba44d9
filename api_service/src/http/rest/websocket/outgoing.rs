//! What a client is told, as fast as it reads.
//!
//! The server below us queues frames without a bound in bytes. So behind every few of them goes a ping, and
//! nothing more until its answer is there: what is on its way to a client is bounded whatever lies between.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Bytes;
use actix_ws::{CloseReason, Session};
use tokio::sync::{Mutex, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::http::failure::Failure;
use crate::http::rest::executions::telling::{Told, problem};

/// Bytes on their way, beside one frame.
const WINDOW: u64 = 256 << 10;
/// How long a client that does not read is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the last word may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// The frame which tells that another was not done.
pub(super) fn complaint(name: Option<&str>, failure: &Failure, request_id: &str) -> String {
    let data = problem(failure, request_id);
    let name = serde_json::Value::from(name);
    let data = String::from_utf8_lossy(&data);
    format!(r#"{{"event":"error","ref":{name},"n":null,"data":{data}}}"#)
}

/// The client has gone, or does not read.
#[derive(Debug)]
pub(super) struct Gone;

/// Where frames go. All copies are one.
#[derive(Clone)]
pub(super) struct Outgoing(Arc<Shared>);

struct Shared {
    session: Mutex<Sending>,
    /// The client has read everything up to this byte.
    read: watch::Sender<u64>,
    /// It has not read for too long, or has gone.
    lost: CancellationToken,
    /// For the last word, which waits for nobody.
    farewell: Session,
}

struct Sending {
    session: Session,
    sent: u64,
}

impl Outgoing {
    pub(super) fn new(session: Session) -> Self {
        let (read, lost) = (watch::Sender::new(0), CancellationToken::new());
        let farewell = session.clone();
        let session = Mutex::new(Sending { session, sent: 0 });
        Self(Arc::new(Shared { session, read, lost, farewell }))
    }

    /// Fires when the client does not read, or has gone.
    pub(super) fn lost(&self) -> CancellationToken {
        self.0.lost.clone()
    }

    /// Tells what happened in the execution that the client calls `name`.
    pub(super) async fn tell(&self, name: &str, told: Told) -> Result<(), Gone> {
        let Told { number, name: event, data } = told;
        // JSON is UTF-8.
        let data = std::str::from_utf8(&data).map_err(|_| Gone)?;
        let name = serde_json::Value::from(name);
        let number = number.map_or_else(|| "null".to_owned(), |number| number.to_string());
        let text = format!(r#"{{"event":"{event}","ref":{name},"n":{number},"data":{data}}}"#);
        self.send(text).await
    }

    /// Tells that a frame about `name` was not done.
    pub(super) async fn complain(&self, name: Option<&str>, failure: &Failure, request_id: &str) {
        // One that has gone is told nothing.
        let _ = self.send(complaint(name, failure, request_id)).await;
    }

    /// Sends a text, when the client has read most of what came before.
    pub(super) async fn send(&self, text: String) -> Result<(), Gone> {
        let sending = async {
            let mut sending = self.0.session.lock().await;
            let length = text.len() as u64;
            sending.session.text(text).await.map_err(|_| Gone)?;
            sending.sent += length;
            let sent = sending.sent;
            if sent - *self.0.read.borrow() <= WINDOW {
                return Ok(());
            }
            sending.session.ping(&sent.to_be_bytes()).await.map_err(|_| Gone)?;
            let mut read = self.0.read.subscribe();
            let all = read.wait_for(|read| *read >= sent).await;
            all.map(|_| ()).map_err(|_| Gone)
        };
        let sent = tokio::select! {
            sent = timeout(PATIENCE, sending) => sent.unwrap_or(Err(Gone)),
            () = self.0.lost.cancelled() => Err(Gone),
        };
        sent.inspect_err(|Gone| self.0.lost.cancel())
    }

    /// A ping, to be answered; nothing when the client has not even read what was sent.
    pub(super) async fn ping(&self) {
        if let Ok(mut sending) = self.0.session.try_lock() {
            let sent = sending.sent.to_be_bytes();
            // One that has gone is noticed by whoever reads from it.
            let _ = timeout(FAREWELL, sending.session.ping(&sent)).await;
        }
    }

    /// The answer to a ping of the client's.
    pub(super) async fn pong(&self, payload: &Bytes) {
        let mut session = self.0.farewell.clone();
        let _ = timeout(FAREWELL, session.pong(payload)).await;
    }

    /// The client has answered a ping of ours.
    pub(super) fn answered(&self, payload: &[u8]) {
        let Ok(sent) = payload.try_into().map(u64::from_be_bytes) else {
            return;
        };
        self.0.read.send_if_modified(|read| {
            let more = sent > *read;
            *read = sent.max(*read);
            more
        });
    }

    /// The last word.
    pub(super) async fn close(&self, reason: CloseReason) {
        self.0.lost.cancel();
        // A client that does not read is cut off by the bound that every connection has.
        let _ = timeout(FAREWELL, self.0.farewell.clone().close(Some(reason))).await;
    }
}
