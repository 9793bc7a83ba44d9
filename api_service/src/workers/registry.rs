//! What is known of the worker.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::domain::capabilities::Capabilities;
use crate::domain::inventory::Inventory;
use crate::workers::client::{self, Call, ExecutionClient};

/// A worker that has not answered for so long is taken for down.
const FRESH_FOR: Duration = Duration::from_secs(8);
/// How long the worker may take to say what it is.
const DEADLINE: Duration = Duration::from_secs(2);

/// How long it may take to say what it holds: Prometheus gives up after ten seconds, and most of the
/// figures are not the worker's.
const SCRAPE: Duration = Duration::from_secs(1);

/// The worker and its last account of itself.
#[derive(Clone)]
pub struct Worker {
    client: ExecutionClient,
    seen: Arc<watch::Sender<Option<Seen>>>,
}

struct Seen {
    capabilities: Arc<Capabilities>,
    at: Instant,
    /// False when it failed to answer since.
    up: bool,
}

impl Worker {
    /// A worker that has not been asked yet.
    pub fn new(client: ExecutionClient) -> Self {
        Self { client, seen: Arc::new(watch::Sender::new(None)) }
    }

    /// The same worker, by a connection that lives on the runtime this is called in. A call from
    /// there is not handed from thread to thread and back, which costs 0.1 ms.
    #[must_use]
    pub fn connected_from_here(&self) -> Self {
        Self { client: self.client.connected_from_here(), seen: self.seen.clone() }
    }

    /// For calls.
    pub fn client(&self) -> &ExecutionClient {
        &self.client
    }

    /// What the worker is, when it said so lately.
    pub fn recent(&self) -> Option<Arc<Capabilities>> {
        let seen = self.seen.borrow();
        let seen = seen.as_ref().filter(|seen| seen.up && seen.at.elapsed() < FRESH_FOR)?;
        Some(seen.capabilities.clone())
    }

    /// What the worker is; it is asked when it has not said so lately.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn capabilities(&self, request_id: &str) -> Result<Arc<Capabilities>, client::Error> {
        match self.recent() {
            Some(capabilities) => Ok(capabilities),
            None => self.refresh(request_id).await,
        }
    }

    /// What it holds now; `None` when it does not answer soon enough for a scrape.
    pub async fn inventory(&self) -> Option<Inventory> {
        let call = Call { request_id: String::from("metrics"), deadline: SCRAPE };
        tokio::time::timeout(SCRAPE, self.client.inventory(&call)).await.ok()?.ok()
    }

    /// Asks the worker what it is.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn refresh(&self, request_id: &str) -> Result<Arc<Capabilities>, client::Error> {
        let call = Call { request_id: request_id.to_owned(), deadline: DEADLINE };
        let answer = tokio::time::timeout(DEADLINE, self.client.capabilities(&call)).await;
        let answer = answer.unwrap_or(Err(client::Error::DeadlineExceeded));
        match answer {
            Ok(capabilities) => {
                let capabilities = Arc::new(capabilities);
                let at = Instant::now();
                let seen = Seen { capabilities: capabilities.clone(), at, up: true };
                self.seen.send_replace(Some(seen));
                Ok(capabilities)
            }
            Err(error) => {
                self.seen.send_modify(|seen| {
                    if let Some(seen) = seen {
                        seen.up = false;
                    }
                });
                Err(error)
            }
        }
    }
}
