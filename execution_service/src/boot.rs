//! The steps before the first thread: find the interpreters, make the namespaces, make a first sandbox,
//! give up all privilege. The service and `doctor` take the same ones.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::Context;

use crate::broker;
use crate::config::Settings;
use crate::language::Toolchains;
use crate::language::discovery::{Awaited, Discovery, SandboxUser, Sharing, discover, is_complete};
use crate::network::Operator;
use crate::pool;
use crate::sandbox::linux::{
    FIRST_HOST_ID, LaunchOptions, Launched, Namespaced, drop_privileges, enter_namespaces, launch,
    start_aside,
};

/// A worker that could begin to make sandboxes.
pub(crate) struct Booted<T> {
    pub(crate) namespaced: Namespaced,
    pub(crate) discovery: Discovery,
    /// The same, for whoever is served.
    pub(crate) toolchains: Toolchains,
    /// What will be served once it is there.
    pub(crate) awaited: Option<Awaited>,
    pub(crate) launched: Launched,
    /// Where the broker hears, if there is anything that it may connect to.
    pub(crate) broker: Option<OwnedFd>,
    /// What came along.
    pub(crate) inner: T,
}

/// Takes all steps. `inner` is for the process that goes on; `leftover` is a file to be removed in the end.
pub(crate) fn boot<T>(
    settings: &Settings,
    inner: T,
    leftover: Option<&Path>,
) -> anyhow::Result<Booted<T>> {
    let root = is_root()?;
    let (namespaced, inner) = enter_namespaces(inner, leftover)?;
    let user = sandbox_user(root)?;
    let next = settings.python_environment_next.as_deref();
    let (environment, next) = match next {
        Some(next) if is_complete(next) => (Some(next), None),
        next => (settings.python_environment.as_deref(), next),
    };
    let discovery = discover(settings.languages(), environment, user);
    let preload = settings.python_preload.as_deref();
    let toolchains = Toolchains::new(&discovery, preload);
    let announced =
        next.map(|next| Awaited::announce(next, &toolchains, preload, Sharing::from_env(user)));
    let awaited = announced.transpose().context("PYTHON_ENVIRONMENT_NEXT")?.flatten();
    let mut roots = toolchains.roots();
    roots.extend(awaited.iter().flat_map(Awaited::roots));
    let mut zygotes = pool::zygotes(&toolchains);
    zygotes.extend(awaited.iter().flat_map(|awaited| pool::zygotes(&awaited.expected)));
    let range = settings.limit_range();
    let options = LaunchOptions {
        roots,
        limits: range.defaults.sandbox,
        ceiling: range.maxima.sandbox,
        way_out: !settings.operator().allows_nothing(),
        zygotes,
    };
    let launched = launch(&namespaced, options)?;
    let broker = start_broker(&namespaced, settings.operator()).context("starting the broker")?;
    drop_privileges(namespaced.distinct_ids).context("giving up privileges")?;
    Ok(Booted { namespaced, discovery, toolchains, awaited, launched, broker, inner })
}

/// The process that connects for sandboxes, where the operator allows any connection.
fn start_broker(namespaced: &Namespaced, operator: Operator) -> io::Result<Option<OwnedFd>> {
    if operator.allows_nothing() {
        return Ok(None);
    }
    start_aside(namespaced, c"broker", |socket| broker::main(socket, operator.clone())).map(Some)
}

/// The one runtime of the process.
pub(crate) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads())
        .enable_all()
        .build()
        .context("starting the runtime")
}

/// The worker only passes on what others do: 0.8 ms of a run are its own. A thread that hands work to
/// another wakes it, which costs more than the work, and takes a processor from the programs.
fn threads() -> usize {
    const PROCESSORS_A_THREAD: usize = 4;
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    processors.div_ceil(PROCESSORS_A_THREAD)
}

/// Whether we are uid 0 of the host.
pub(crate) fn is_root() -> io::Result<bool> {
    fs::metadata("/proc/self").map(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0)
}

/// The identity that sandboxes have on the host, as files show it to us: inside of the namespaces an
/// ordinary user's own number is another one.
fn sandbox_user(root: bool) -> io::Result<SandboxUser> {
    use std::os::unix::fs::MetadataExt;
    if root {
        // Any id of the worker's range: nothing on the host belongs to one.
        return Ok(SandboxUser { uid: FIRST_HOST_ID, gid: FIRST_HOST_ID });
    }
    let me = fs::metadata("/proc/self")?;
    Ok(SandboxUser { uid: me.uid(), gid: me.gid() })
}
