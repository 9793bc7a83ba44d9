//! The worker tries its own walls, at every start: it makes three sandboxes as it makes them for users,
//! has each wall really attacked from inside, and believes only what came of that.
//!
//! ```text
//! table    each wall: the attempts, what must come of them, the remedy
//! judge    what came of them against what must
//! forked   a zygote's child beside a process that was started
//! control  the same attempts where no wall stands: each must be found missing
//! ```

mod control;
mod forked;
mod judge;
mod remedy;
mod row;
mod table;

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::PathBuf;

use tokio::time::timeout;

pub use control::control;
pub use forked::examine as examine_zygote;

use crate::sandbox::backend::{OutputStream, Process, Sandbox, SandboxError};
use crate::sandbox::isolation::{Isolation, Refusal, Wall, WallState};
use crate::sandbox::linux::boot_error::BootError;
use crate::sandbox::linux::client::factory::SandboxFactory;
use crate::sandbox::linux::client::sandbox::{LinuxSandbox, PATIENT};
use crate::sandbox::linux::probe::{self, Finding, Outcome, Probe, Targets};
use crate::sandbox::spec::{RUNTIMES_DIR, SandboxLimits, Usage, WORKSPACE};
use judge::Case;
use table::WALLS;

/// Of the sandboxes that are tried: small, so that to use twice as much is quickly done.
const LIMITS: SandboxLimits = SandboxLimits {
    memory_bytes: 32 << 20,
    processes: 8,
    disk_bytes: 1 << 20,
    inodes: 64,
    open_files: 64,
    milli_cpus: 1000,
};
/// In the one whose quota is tried.
const MILLI_CPUS: u32 = 50;
/// How often it is computed in there until a pause is seen: 0.1 s each, where there is time for it.
const TRIES: u32 = 10;
/// Findings are some kilobytes.
const MOST_FINDINGS: usize = 64 << 10;

/// What boot and the spawner found out about this host.
#[derive(Clone, Debug)]
pub struct Host {
    /// Each sandbox can have its own uid.
    pub distinct_ids: bool,
    /// A new `/proc` can be mounted.
    pub fresh_proc: bool,
    /// Whether there is a cpu controller; or why there are no cgroups at all.
    pub cgroups: Result<bool, String>,
}

impl Host {
    fn without_cgroups(&self) -> Option<(WallState, String)> {
        let why = self.cgroups.as_ref().err()?;
        let seen = format!("no cgroups ({why}): resource limits and watching stand in");
        Some((WallState::BestEffort, seen))
    }

    fn without_cpu_controller(&self) -> Option<(WallState, String)> {
        match self.cgroups {
            Ok(true) => None,
            Ok(false) => Some((
                WallState::BestEffort,
                String::from("no cpu controller: processor time is counted, and limited in sum"),
            )),
            Err(_) => self.without_cgroups(),
        }
    }

    fn without_own_uids(&self) -> Option<(WallState, String)> {
        let seen = String::from("all sandboxes have the uid of the worker's user");
        (!self.distinct_ids).then_some((WallState::Missing, seen))
    }

    fn without_proc(&self) -> Option<(WallState, String)> {
        let seen = String::from("the kernel refuses a new /proc: programs see an empty one");
        (!self.fresh_proc).then_some((WallState::Missing, seen))
    }
}

/// What a failed step of the boot, or of making the first sandbox, means: a wall that cannot be had
/// here, or a fault.
pub fn failure(stage: &str, source: io::Error) -> BootError {
    let Some(row) = WALLS.iter().find(|row| row.stages.contains(&stage)) else {
        return BootError::Failed { stage: String::from(stage), source };
    };
    let seen = format!("{stage}: {source}");
    let (tried, remedy) = ("built a sandbox as for a program", Some((row.remedy)()));
    let (name, need, state) = (row.wall, row.need, WallState::Missing);
    BootError::Refused(Refusal(vec![Wall { name, state, need, tried, seen, remedy }]))
}

/// What came of the attempts in one sandbox.
struct Tried {
    findings: Vec<Finding>,
    usage: Usage,
    /// The uid of its processes, as the worker sees it.
    uid: Option<u32>,
}

/// Tries every wall. `roots` are the directories of the interpreters.
pub async fn examine(factory: &SandboxFactory, host: &Host, roots: &[PathBuf]) -> Isolation {
    let worker = probe::make(probe::IDENTITY, &nowhere());
    let mut trouble = Vec::new();
    let inside = match attempts(factory, host, roots, &mut trouble).await {
        Ok(findings) => findings,
        Err(error) => {
            trouble.push(format!("the worker could not set it up: {error}"));
            Vec::new()
        }
    };
    Case::new(&inside, &worker, host, &trouble).judge()
}

async fn attempts(
    factory: &SandboxFactory,
    host: &Host,
    roots: &[PathBuf],
    trouble: &mut Vec<String>,
) -> io::Result<Vec<Finding>> {
    let bait = Bait::lay()?;
    let targets = bait.targets(roots, WORKSPACE)?;
    let processor = async {
        let sandbox = factory.make(LIMITS).await?;
        // Only now: to build the sandbox takes more than a tenth of a processor.
        sandbox.prepare(SandboxLimits { milli_cpus: MILLI_CPUS, ..LIMITS }).await?;
        let mut tried = try_in(&sandbox, Probe::Processor, &targets).await?;
        // A machine with a lot to do may give less than the quota, which then pauses nobody.
        for _ in 1..TRIES {
            if factory.pauses(&sandbox) != Some(0) {
                break;
            }
            tried = try_in(&sandbox, Probe::Processor, &targets).await?;
        }
        if let Some(pauses) = factory.pauses(&sandbox) {
            tried.findings.push(counted("pauses counted by the cgroup", pauses));
        }
        Ok::<_, SandboxError>(tried)
    };
    let whole = |probe| {
        let targets = &targets;
        async move {
            if probe == Probe::Resources && remedy::memory_stops_the_machine() {
                let stage = String::from("vm.panic_on_oom is 2, and it would stop the machine");
                let source = io::Error::from(io::ErrorKind::Unsupported);
                return Err(SandboxError::Create { stage, source });
            }
            // It ends in the background: nothing waits for that.
            let sandbox = factory.make(LIMITS).await?;
            try_in(&sandbox, probe, targets).await
        }
    };
    let (walls, resources, processor) =
        tokio::join!(whole(Probe::Walls), whole(Probe::Resources), processor);
    let mut findings = Vec::new();
    if let (Ok(one), Ok(other)) = (&walls, &resources) {
        findings.push(ids(one.uid, other.uid));
    }
    if let Ok(tried) = &resources
        && host.cgroups.is_ok()
    {
        findings.push(counted("kills counted by the cgroup", tried.usage.oom_kills));
        findings.push(counted("refusals counted by the cgroup", tried.usage.fork_refusals));
    }
    for tried in [walls, resources, processor] {
        match tried {
            Ok(tried) => findings.extend(tried.findings),
            Err(error) => trouble.push(error.to_string()),
        }
    }
    Ok(findings)
}

fn counted(attempt: &str, count: u64) -> Finding {
    Finding { attempt: String::from(attempt), outcome: Outcome::Counted(count) }
}

fn ids(one: Option<u32>, other: Option<u32>) -> Finding {
    let ours = Some(nix::unistd::geteuid().as_raw());
    let distinct = one != other && one != ours && other != ours && one.is_some() && other.is_some();
    let seen = String::from(if distinct { "distinct" } else { "shared" });
    Finding { attempt: String::from("ids on the host"), outcome: Outcome::Seen(seen) }
}

async fn try_in(
    sandbox: &LinuxSandbox,
    probe: Probe,
    targets: &Targets,
) -> Result<Tried, SandboxError> {
    let Process { mut stdout, exit, .. } = sandbox.probe(probe, targets.clone()).await?;
    let findings = timeout(PATIENT, read(&mut *stdout)).await.map_err(|_| SandboxError::Gone)??;
    // The account is complete when the process is gone.
    let _ = timeout(PATIENT, exit).await;
    let usage = sandbox.usage(PATIENT).await?;
    Ok(Tried { findings, usage, uid: sandbox.uid_outside() })
}

async fn read(stdout: &mut dyn OutputStream) -> Result<Vec<Finding>, SandboxError> {
    let mut bytes = vec![0; MOST_FINDINGS];
    let mut length = 0;
    while length < bytes.len() {
        match stdout.read(&mut bytes[length..]).await {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(_) => return Err(SandboxError::Gone),
        }
    }
    postcard::from_bytes(&bytes[..length]).map_err(|_| SandboxError::Gone)
}

/// What is there outside of the sandboxes to be reached from inside, for as long as this lives.
struct Bait {
    port: TcpListener,
    abstract_socket: String,
    _socket: UnixListener,
}

impl Bait {
    fn lay() -> io::Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        // The port is ours alone where abstract names are; a process id may be another's, too.
        let abstract_socket = format!("crucible-self-test-{}", port.local_addr()?.port());
        let address = SocketAddr::from_abstract_name(&abstract_socket)?;
        Ok(Self { port, _socket: UnixListener::bind_addr(&address)?, abstract_socket })
    }

    fn targets(&self, roots: &[PathBuf], workspace: &str) -> io::Result<Targets> {
        let fixed = [
            "/",
            "/usr",
            "/usr/bin",
            "/usr/local",
            "/etc",
            "/etc/ssl",
            "/dev",
            "/opt",
            "/var",
            RUNTIMES_DIR,
            "/home",
            "/proc",
            "/mnt",
        ];
        let roots = roots.iter().map(|root| root.display().to_string());
        Ok(Targets {
            worker: i32::try_from(std::process::id()).map_err(io::Error::other)?,
            port: self.port.local_addr()?.port(),
            abstract_socket: self.abstract_socket.clone(),
            read_only: fixed.into_iter().map(String::from).chain(roots).collect(),
            workspace: String::from(workspace),
            limits: LIMITS,
        })
    }
}

/// For attempts that are aimed at nothing.
fn nowhere() -> Targets {
    Targets {
        worker: 0,
        port: 0,
        abstract_socket: String::new(),
        read_only: Vec::new(),
        workspace: String::new(),
        limits: LIMITS,
    }
}
