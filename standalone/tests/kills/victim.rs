//! Who is killed, and how the service shows that it has recovered.

use std::fmt;
use std::time::{Duration, Instant};

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rustix::process::{Pid, Signal, kill_process};

use crate::crucible::service_of;
use crate::processes::{children, descendants};
use crate::service::{BOUND, Service};

/// A kind of process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Victim {
    Anchor,
    Worker,
    Spawner,
    Zygote,
    Init,
    Kernel,
    Gateway,
    Launcher,
}

/// Each as often as it stands here.
const MIX: [Victim; 16] = [
    Victim::Anchor,
    Victim::Anchor,
    Victim::Worker,
    Victim::Worker,
    Victim::Spawner,
    Victim::Spawner,
    Victim::Zygote,
    Victim::Zygote,
    Victim::Init,
    Victim::Init,
    Victim::Init,
    Victim::Kernel,
    Victim::Kernel,
    Victim::Gateway,
    Victim::Gateway,
    Victim::Launcher,
];

/// One that was killed.
pub struct Kill {
    pub victim: Victim,
    pub at: Instant,
    /// Until a run was answered by what took its place.
    pub recovery: Duration,
}

impl Kill {
    /// Whether something that lived from `begin` to `end` may have suffered from it.
    pub fn touches(&self, begin: Instant, end: Instant) -> bool {
        begin <= self.at + self.recovery && self.at <= end
    }
}

impl Victim {
    /// Any of the mix.
    pub fn choose(random: &mut StdRng) -> Self {
        MIX[random.random_range(0..MIX.len())]
    }

    /// Whether its death costs one sandbox at most.
    pub fn is_one_sandboxes_own(self) -> bool {
        matches!(self, Self::Init | Self::Kernel)
    }

    /// Whether connections to the gateway break with it.
    pub fn breaks_connections(self) -> bool {
        matches!(self, Self::Gateway | Self::Launcher)
    }

    /// Kills one, and waits until the service is as before. `None` when there was none at that moment.
    pub async fn kill(self, service: &mut Service, random: &mut StdRng) -> Option<Kill> {
        let line = Line::of(service)?;
        let pid = self.find(&line, random)?;
        let at = Instant::now();
        let raw = i32::try_from(pid).ok().and_then(Pid::from_raw)?;
        kill_process(raw, Signal::KILL).ok()?;
        match self {
            Self::Launcher => {
                service.start_again();
                line.replaced(service, &[line.gateway, line.anchor]).await;
            }
            Self::Gateway => line.replaced(service, &[line.gateway]).await,
            Self::Anchor | Self::Worker | Self::Spawner => {
                line.replaced(service, &[line.anchor]).await;
            }
            Self::Zygote | Self::Init | Self::Kernel => {}
        }
        let recovery = service.client.recovered(at).await;
        Some(Kill { victim: self, at, recovery })
    }

    fn find(self, line: &Line, random: &mut StdRng) -> Option<u32> {
        match self {
            Self::Launcher => Some(line.launcher),
            Self::Gateway => Some(line.gateway),
            Self::Anchor => Some(line.anchor),
            Self::Worker => Some(line.worker),
            Self::Spawner => Some(line.spawner),
            Self::Zygote | Self::Init | Self::Kernel => {
                let all = descendants(line.spawner);
                let of_kind: Vec<u32> =
                    all.into_iter().filter(|pid| kind(*pid) == Some(self)).collect();
                of_kind.choose(random).copied()
            }
        }
    }
}

impl fmt::Display for Victim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Anchor => "anchor",
            Self::Worker => "worker",
            Self::Spawner => "spawner",
            Self::Zygote => "zygote",
            Self::Init => "init",
            Self::Kernel => "kernel",
            Self::Gateway => "gateway",
            Self::Launcher => "launcher",
        })
    }
}

/// What a process below the spawner is: a sandbox has a pid namespace of its own, and init is 1 in it.
fn kind(pid: u32) -> Option<Victim> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
    let numbers: Vec<&str> = numbers.split_whitespace().collect();
    let own = numbers.len() > own_depth();
    Some(match numbers.last() {
        Some(&"1") if own => Victim::Init,
        Some(_) if own => Victim::Kernel,
        Some(_) | None => Victim::Zygote,
    })
}

/// How many pid namespaces this process itself is in, as its `/proc` shows them.
fn own_depth() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    numbers.map_or(1, |numbers| numbers.split_whitespace().count())
}

/// The processes that there is one of.
struct Line {
    launcher: u32,
    gateway: u32,
    anchor: u32,
    worker: u32,
    spawner: u32,
}

impl Line {
    fn of(service: &Service) -> Option<Self> {
        let launcher = service.pid();
        let (gateway, anchor) = (service_of(launcher, "gateway")?, service_of(launcher, "worker")?);
        let worker = *children(anchor).first()?;
        let spawner = *children(worker).first()?;
        Some(Self { launcher, gateway, anchor, worker, spawner })
    }

    /// Waits until others have taken the places of these.
    async fn replaced(&self, service: &mut Service, gone: &[u32]) {
        let deadline = Instant::now() + BOUND;
        loop {
            if let Some(now) = Self::of(service)
                && !gone.contains(&now.gateway)
                && !gone.contains(&now.anchor)
            {
                if !service.anchors.contains(&now.anchor) {
                    service.anchors.push(now.anchor);
                }
                return;
            }
            assert!(Instant::now() < deadline, "nobody takes its place");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
