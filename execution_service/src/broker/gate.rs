//! One sandbox's way out: its policy, what it has used, and what is told of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::SystemTime;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::limits::RESOLVING;
use super::line::Purpose;
use super::wire::{FromBroker, GateId};
use crate::network::{Destination, Host, Operator, Policy, Record, Rule, Verdict};

/// What all gates have together.
pub struct Shared {
    /// Beyond which no policy goes.
    pub operator: Operator,
    /// Connections of all sandboxes.
    pub connections: Arc<Semaphore>,
    /// To the worker.
    pub reports: mpsc::Sender<FromBroker>,
}

/// One sandbox's way out.
pub struct Gate {
    id: GateId,
    policy: watch::Sender<Arc<Policy>>,
    /// Bytes of all of its connections so far, both ways.
    transferred: AtomicU64,
    /// Connections that it has now.
    open: AtomicU32,
    /// One of them is over, or the policy is another.
    changed: Notify,
    /// Names that it has resolved now.
    pub resolving: Arc<Semaphore>,
    /// What all have together.
    pub shared: Arc<Shared>,
    /// Fires when the sandbox is gone, or has no way out any more.
    pub closed: CancellationToken,
}

/// Keeps a gate open. Dropped, it is closed with all of its connections.
pub struct Opened(pub Arc<Gate>);

impl Drop for Opened {
    fn drop(&mut self) {
        self.0.closed.cancel();
    }
}

/// A place among a gate's connections.
pub struct Place {
    gate: Arc<Gate>,
    _of_all: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gate.open.fetch_sub(1, Ordering::Relaxed);
        self.gate.changed.notify_one();
    }
}

impl Gate {
    /// Nothing has been used of it.
    pub fn new(id: GateId, policy: Policy, shared: Arc<Shared>) -> Arc<Self> {
        Arc::new(Self {
            id,
            policy: watch::Sender::new(Arc::new(policy)),
            transferred: AtomicU64::new(0),
            open: AtomicU32::new(0),
            changed: Notify::new(),
            resolving: Arc::new(Semaphore::new(RESOLVING)),
            shared,
            closed: CancellationToken::new(),
        })
    }

    /// Puts another policy in force.
    pub fn change(&self, policy: Policy) {
        self.policy.send_replace(Arc::new(policy));
        self.changed.notify_one();
    }

    /// Tells of changes of the policy.
    pub fn changes(&self) -> watch::Receiver<Arc<Policy>> {
        self.policy.subscribe()
    }

    /// Waits until it may have one connection more. Called by one task only, so that nobody else takes the place.
    pub async fn room(&self) {
        while self.open.load(Ordering::Relaxed) >= self.policy.borrow().max_connections {
            self.changed.notified().await;
        }
    }

    /// A place for a connection that has come, when there is one among those of all.
    pub async fn place(self: &Arc<Self>) -> Option<Place> {
        let of_all = Arc::clone(&self.shared.connections).acquire_owned().await.ok()?;
        self.open.fetch_add(1, Ordering::Relaxed);
        Some(Place { gate: Arc::clone(self), _of_all: of_all })
    }

    /// Whether `destination` may be connected to, for a request with `method`, or for whatever comes.
    ///
    /// # Errors
    /// The rule that forbids it, which has been told.
    pub fn allows(&self, destination: &Destination, method: Option<&str>) -> Result<(), Rule> {
        let policy = Arc::clone(&self.policy.borrow());
        let allowed = policy
            .allows(destination, method)
            .and_then(|()| self.shared.operator.allows(destination))
            .and_then(|()| self.has_bytes_left().then_some(()).ok_or(Rule::Bytes));
        if let Err(rule) = &allowed {
            self.refused(destination, rule);
        }
        allowed
    }

    /// Whether a connection to `destination` may go on.
    ///
    /// # Errors
    /// The rule that ends it.
    pub fn still_allows(&self, destination: &Destination, purpose: Purpose) -> Result<(), Rule> {
        let policy = self.policy.borrow();
        match purpose {
            Purpose::Requests => policy.reaches(destination),
            Purpose::Tunnel => policy.allows(destination, None),
        }
    }

    /// Whether the policy denies `address` itself.
    ///
    /// # Errors
    /// [`Rule::Denied`].
    pub fn denies(&self, address: SocketAddr) -> Result<(), Rule> {
        let destination = Destination { host: Host::Address(address.ip()), port: address.port() };
        self.policy.borrow().denies(&destination)
    }

    /// Counts bytes that have passed.
    pub fn passed(&self, bytes: u64) {
        self.transferred.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Whether more bytes may pass.
    pub fn has_bytes_left(&self) -> bool {
        let passed = self.transferred.load(Ordering::Relaxed);
        self.policy.borrow().max_bytes.is_none_or(|most| passed < most)
    }

    /// Tells of a connection that was not made.
    pub fn refused(&self, destination: &Destination, rule: &Rule) {
        self.tell(destination, (0, 0), Verdict::Refused(String::from(rule.name())));
    }

    /// Tells of a connection, of the bytes that it has sent and received, and of what became of it.
    pub fn tell(&self, destination: &Destination, (sent, received): (u64, u64), verdict: Verdict) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let record = Record {
            at_ms: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
            host: destination.host.to_string(),
            port: destination.port,
            sent,
            received,
            verdict,
        };
        // Whoever makes more of them than the worker takes is not told of all.
        let _ = self.shared.reports.try_send(FromBroker::Seen { gate: self.id, record });
    }
}
