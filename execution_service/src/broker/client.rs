//! The worker's side of the broker.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::wire::{FromBroker, GateId, ToBroker};
use crate::network::{MOST_RECORDS, Policy, Record};
use crate::sandbox::linux::Packets;

/// What the broker has not taken yet: beyond that it hangs, and nobody gets a way out any more.
const MOST_UNTAKEN: usize = 1024;

/// How long a sandbox waits for the first broker, which begins when the worker does.
const START: Duration = Duration::from_secs(5);

/// Why a sandbox has no way out now.
#[derive(Debug, thiserror::Error)]
pub enum NoWayOut {
    /// The broker is gone, or hangs.
    #[error("the broker, which connects for sandboxes, is not there")]
    Broker,
    /// The worker has no descriptor left for its socket.
    #[error("the socket of the way out cannot be handed over: {0}")]
    Socket(#[from] io::Error),
}

/// The broker, as the worker holds it.
pub struct Broker {
    ways: Arc<Ways>,
    last: AtomicU64,
    /// End with this.
    _tasks: JoinSet<()>,
}

/// What is told the broker, with what goes with it.
type Told = (ToBroker, Vec<OwnedFd>);

/// Every way out that there is.
struct Ways {
    open: Mutex<HashMap<GateId, Kept>>,
    telling: mpsc::UnboundedSender<Told>,
    /// What was told and has not been sent.
    untaken: AtomicU64,
    /// How many have begun, the one that replaced the last included.
    begun: watch::Sender<u64>,
    /// Nothing comes of it any more.
    gone: AtomicBool,
}

/// What is kept of a way out, for a broker that begins anew and for whoever asks.
struct Kept {
    listener: OwnedFd,
    policy: Policy,
    log: Log,
}

/// The connections of one sandbox that are over or were refused, the newest last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// At most [`MOST_RECORDS`].
    pub records: VecDeque<Record>,
    /// How many were forgotten because newer ones came.
    pub forgotten: u64,
}

/// One sandbox's way out. Dropped, it is closed.
pub struct WayOut {
    id: GateId,
    port: u16,
    ways: Arc<Ways>,
}

impl Broker {
    /// Of the broker at the other end of `socket`; must be called inside a runtime.
    ///
    /// # Errors
    /// When the runtime cannot watch the socket.
    pub fn new(socket: OwnedFd) -> io::Result<Self> {
        let broker = Packets::new(socket)?;
        let (telling, mut told) = mpsc::unbounded_channel::<Told>();
        let ways = Arc::new(Ways {
            open: Mutex::default(),
            telling,
            untaken: AtomicU64::new(0),
            begun: watch::Sender::new(0),
            gone: AtomicBool::new(false),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn({
            let ways = Arc::clone(&ways);
            async move {
                let telling = async {
                    while let Some((message, fds)) = told.recv().await {
                        if let Err(error) = broker.send(&message, &fds).await {
                            tracing::error!(%error, "the broker cannot be told any more");
                            return;
                        }
                        ways.untaken.fetch_sub(1, Ordering::Relaxed);
                    }
                };
                // One that could not be told of a policy must not go on with the last: without this end of the
                // socket it ends, with all connections.
                tokio::select! {
                    () = telling => {}
                    () = ways.listen(&broker) => {}
                }
                ways.lose();
            }
        });
        Ok(Self { ways, last: AtomicU64::new(0), _tasks: tasks })
    }

    /// Waits until the first broker has begun.
    ///
    /// # Errors
    /// [`NoWayOut::Broker`]; also of one that hangs or is gone.
    pub async fn ready(&self) -> Result<(), NoWayOut> {
        let mut begun = self.ways.begun.subscribe();
        let ready = timeout(START, begun.wait_for(|count| *count > 0)).await;
        let ready = ready.is_ok_and(|begun| begun.is_ok());
        if ready { self.ways.check() } else { Err(NoWayOut::Broker) }
    }

    /// Gives the sandbox that has `listener` on its loopback, at `port`, a way out.
    ///
    /// # Errors
    /// [`NoWayOut::Socket`].
    pub fn open(
        &self,
        (listener, port): (OwnedFd, u16),
        policy: Policy,
    ) -> Result<WayOut, NoWayOut> {
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let theirs = listener.try_clone()?;
        let kept = Kept { listener, policy: policy.clone(), log: Log::default() };
        let mut open = self.ways.open();
        open.insert(id, kept);
        // Told under the lock, as a new broker is: it hears of each once.
        self.ways.tell(ToBroker::Open { gate: id, policy }, vec![theirs]);
        drop(open);
        Ok(WayOut { id, port, ways: Arc::clone(&self.ways) })
    }
}

impl WayOut {
    /// The policy in force.
    pub fn policy(&self) -> Policy {
        let open = self.ways.open();
        open.get(&self.id).map_or_else(Policy::none, |kept| kept.policy.clone())
    }

    /// Puts another policy in force, also for connections that are there.
    ///
    /// # Errors
    /// [`NoWayOut::Broker`].
    pub fn change(&self, policy: Policy) -> Result<(), NoWayOut> {
        self.ways.check()?;
        let mut open = self.ways.open();
        let kept = open.get_mut(&self.id).ok_or(NoWayOut::Broker)?;
        kept.policy = policy.clone();
        self.ways.tell(ToBroker::Change { gate: self.id, policy }, Vec::new());
        Ok(())
    }

    /// Where programs in the sandbox find it, on their loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What was connected to.
    pub fn log(&self) -> Log {
        self.ways.open().get(&self.id).map(|kept| kept.log.clone()).unwrap_or_default()
    }
}

impl WayOut {
    /// Closes it, with all connections.
    pub fn close(&self) {
        if self.ways.open().remove(&self.id).is_some() {
            self.ways.tell(ToBroker::Close { gate: self.id }, Vec::new());
        }
    }
}

impl Drop for WayOut {
    fn drop(&mut self) {
        self.close();
    }
}

impl Ways {
    async fn listen(&self, broker: &Packets) {
        loop {
            match broker.receive().await {
                Ok(Some((FromBroker::Ready { pid }, _))) => self.tell_all(pid),
                Ok(Some((FromBroker::Seen { gate, record }, _))) => self.note(gate, record),
                Ok(None) => return,
                Err(error) => {
                    tracing::error!(%error, "the broker is not understood");
                    return;
                }
            }
        }
    }

    /// A broker has begun, in place of one that has ended if there was any: it gets what that one had.
    fn tell_all(&self, pid: u32) {
        let open = self.open();
        let before = self.begun.borrow().to_owned();
        if before == 0 {
            tracing::info!(pid, "the broker is ready");
        } else {
            let ways_out = open.len();
            tracing::warn!(pid, before, ways_out, "the broker had ended, and another one is ready");
        }
        self.begun.send_replace(before + 1);
        for (id, kept) in &*open {
            match kept.listener.try_clone() {
                Ok(listener) => {
                    let message = ToBroker::Open { gate: *id, policy: kept.policy.clone() };
                    self.tell(message, vec![listener]);
                }
                Err(error) => tracing::error!(%error, "a sandbox has lost its way out"),
            }
        }
    }

    /// There is no broker any more, and will be none: whoever connects is to be refused at once.
    fn lose(&self) {
        self.gone.store(true, Ordering::Relaxed);
        tracing::error!(
            "the broker is gone: no sandbox has a network until the worker is started again"
        );
        self.open().clear();
    }

    fn note(&self, gate: GateId, record: Record) {
        if let Some(Kept { log, .. }) = self.open().get_mut(&gate) {
            if log.records.len() == MOST_RECORDS {
                log.records.pop_front();
                log.forgotten += 1;
            }
            log.records.push_back(record);
        }
    }

    /// Whether there is a broker that takes what it is told.
    fn check(&self) -> Result<(), NoWayOut> {
        let hangs = self.untaken.load(Ordering::Relaxed) >= MOST_UNTAKEN as u64;
        if hangs || self.gone.load(Ordering::Relaxed) { Err(NoWayOut::Broker) } else { Ok(()) }
    }

    fn tell(&self, message: ToBroker, fds: Vec<OwnedFd>) {
        self.untaken.fetch_add(1, Ordering::Relaxed);
        // An error means that there is no broker any more.
        let _ = self.telling.send((message, fds));
    }

    fn open(&self) -> MutexGuard<'_, HashMap<GateId, Kept>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
