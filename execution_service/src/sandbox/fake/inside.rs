//! One sandbox as a test sees it.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::fifo::{FakeFifo, fifo};
use super::lock;
use crate::sandbox::backend::{Excess, ProcessId, ProcessTree, Signal};
use crate::sandbox::files::{FileMode, Root};
use crate::sandbox::spec::{Footprint, SandboxLimits, SandboxSpec, Usage};

/// What happened in one fake sandbox, and what shall happen.
pub struct Inside {
    /// What it was asked to be.
    pub spec: SandboxSpec,
    state: Mutex<State>,
    /// Fires when it has ended, or is gone.
    gone: CancellationToken,
    /// Everything that runs in it.
    pub(super) tasks: TaskTracker,
}

struct State {
    files: BTreeMap<(Root, String), (Vec<u8>, FileMode)>,
    fifos: BTreeMap<String, DuplexStream>,
    usage: Usage,
    excess: Option<Excess>,
    silent: bool,
    ended: bool,
    in_force: SandboxLimits,
    processes: BTreeMap<ProcessId, Entry>,
    last_process: u32,
    signals: Vec<(ProcessId, Signal)>,
    killed_trees: Vec<ProcessTree>,
    cpu_weight: u32,
    held_to: Option<Footprint>,
    open_files: u64,
    paused: bool,
}

/// One process.
pub(super) struct Entry {
    pub(super) parent: Option<ProcessId>,
    pub(super) born: Instant,
    pub(super) killed: CancellationToken,
    pub(super) signals: mpsc::UnboundedSender<Signal>,
}

impl Inside {
    pub(super) fn new(spec: SandboxSpec) -> Self {
        let state = State {
            files: BTreeMap::new(),
            fifos: BTreeMap::new(),
            usage: Usage { whole: true, ..Usage::default() },
            excess: None,
            silent: false,
            ended: false,
            in_force: spec.limits,
            processes: BTreeMap::new(),
            last_process: 1,
            signals: Vec::new(),
            killed_trees: Vec::new(),
            cpu_weight: 1000,
            held_to: None,
            open_files: 0,
            paused: false,
        };
        let (gone, tasks) = (CancellationToken::new(), TaskTracker::new());
        Self { spec, state: Mutex::new(state), gone, tasks }
    }

    /// What its account says.
    pub fn usage(&self) -> Usage {
        let state = lock(&self.state);
        Usage { whole: state.usage.whole && !state.silent, ..state.usage }
    }

    /// Has its account say this from now on.
    pub fn set_usage(&self, usage: Usage) {
        lock(&self.state).usage = usage;
    }

    /// What it holds, by its account.
    pub fn footprint(&self) -> Footprint {
        let state = lock(&self.state);
        let ended = state.ended || self.gone.is_cancelled();
        let memory_bytes = if ended { 0 } else { state.usage.memory_bytes };
        Footprint { memory_bytes, processes: state.processes.len() as u64 }
    }

    /// Its weight, in thousandths of that of a new one.
    pub fn cpu_weight(&self) -> u32 {
        lock(&self.state).cpu_weight
    }

    pub(super) fn set_cpu_weight(&self, thousandths: u32) {
        lock(&self.state).cpu_weight = thousandths;
    }

    /// How many open files it has.
    pub fn open_files(&self) -> u64 {
        lock(&self.state).open_files
    }

    /// Has it have so many.
    pub fn set_open_files(&self, count: u64) {
        lock(&self.state).open_files = count;
    }

    /// What it may come to, if that is less than its limits.
    pub fn held_to(&self) -> Option<Footprint> {
        lock(&self.state).held_to
    }

    pub(super) fn hold_to(&self, most: Option<Footprint>) {
        lock(&self.state).held_to = most;
    }

    /// Whether its processes stand still.
    pub fn is_paused(&self) -> bool {
        lock(&self.state).paused
    }

    pub(super) fn set_paused(&self, paused: bool) {
        lock(&self.state).paused = paused;
    }

    /// What it holds too much of.
    pub fn excess(&self) -> Option<Excess> {
        lock(&self.state).excess
    }

    /// Has it hold too much of this, or of nothing.
    pub fn set_excess(&self, excess: Option<Excess>) {
        lock(&self.state).excess = excess;
    }

    /// Has the inside answer nothing from now on, as if user code had starved it: accounts are not whole, and
    /// files and processes are waited for in vain.
    pub fn fall_silent(&self) {
        lock(&self.state).silent = true;
    }

    /// Has it break, as if user code had killed its init.
    pub fn die(&self) {
        self.gone.cancel();
    }

    /// Content and mode of a file.
    pub fn file(&self, root: Root, path: &str) -> Option<(Vec<u8>, FileMode)> {
        lock(&self.state).files.get(&(root, String::from(path))).cloned()
    }

    /// Puts a file there, as user code might.
    pub fn put_file(&self, root: Root, path: &str, content: &[u8], mode: FileMode) {
        lock(&self.state).files.insert((root, String::from(path)), (Vec::from(content), mode));
    }

    pub(super) fn make_fifo(&self, name: &str) -> FakeFifo {
        let (written, read) = fifo();
        lock(&self.state).fifos.insert(String::from(name), read);
        written
    }

    /// Opens a FIFO of the request directory for reading, as the first who does.
    pub(super) fn open_fifo(&self, name: &str) -> Option<DuplexStream> {
        lock(&self.state).fifos.remove(name)
    }

    /// Removes a file, or all below a directory.
    pub(super) fn remove_files(&self, root: Root, path: &str) {
        let below = format!("{path}/");
        let goes = |of: Root, one: &str| of == root && (one == path || one.starts_with(&below));
        lock(&self.state).files.retain(|(of, one), _| !goes(*of, one));
    }

    /// The paths of its files below `root`.
    pub fn paths(&self, root: Root) -> Vec<String> {
        let state = lock(&self.state);
        state.files.keys().filter(|(of, _)| *of == root).map(|(_, path)| path.clone()).collect()
    }

    /// The limits that are in force.
    pub fn limits(&self) -> SandboxLimits {
        lock(&self.state).in_force
    }

    /// How many processes run in it.
    pub fn processes(&self) -> usize {
        lock(&self.state).processes.len()
    }

    /// The signals that were sent, in order.
    pub fn signals(&self) -> Vec<(ProcessId, Signal)> {
        lock(&self.state).signals.clone()
    }

    /// The trees that were to be killed, in order.
    pub fn killed_trees(&self) -> Vec<ProcessTree> {
        lock(&self.state).killed_trees.clone()
    }

    /// Whether somebody has ended it.
    pub fn has_ended(&self) -> bool {
        lock(&self.state).ended
    }

    pub(super) fn is_gone(&self) -> bool {
        self.gone.is_cancelled()
    }

    pub(super) fn is_silent(&self) -> bool {
        lock(&self.state).silent
    }

    /// Fires when it has ended, or is gone.
    pub(super) fn gone(&self) -> CancellationToken {
        self.gone.clone()
    }

    pub(super) fn set_limits(&self, limits: SandboxLimits) {
        lock(&self.state).in_force = limits;
    }

    pub(super) fn end(&self) {
        lock(&self.state).ended = true;
        self.gone.cancel();
        self.tasks.close();
    }

    /// A number for a new process.
    pub(super) fn add(&self, entry: Entry) -> ProcessId {
        let mut state = lock(&self.state);
        // 1 is init.
        state.last_process += 1;
        let id = ProcessId(state.last_process);
        state.processes.insert(id, entry);
        id
    }

    pub(super) fn remove(&self, id: ProcessId) {
        lock(&self.state).processes.remove(&id);
    }

    pub(super) fn signal(&self, id: ProcessId, signal: Signal) {
        let mut state = lock(&self.state);
        state.signals.push((id, signal));
        if let Some(entry) = state.processes.get(&id) {
            match signal {
                Signal::Kill => entry.killed.cancel(),
                Signal::Interrupt | Signal::Terminate | Signal::Other(_) => {
                    // A process that ends now hears nothing any more.
                    let _ = entry.signals.send(signal);
                }
            }
        }
    }

    pub(super) fn kill_all(&self) {
        lock(&self.state).processes.values().for_each(|entry| entry.killed.cancel());
    }

    pub(super) fn kill_tree(&self, tree: &ProcessTree) {
        let mut state = lock(&self.state);
        state.killed_trees.push(tree.clone());
        let descends = |id: ProcessId, from: ProcessId| {
            let parent = |id: &ProcessId| state.processes.get(id).and_then(|entry| entry.parent);
            std::iter::successors(Some(id), parent).any(|id| id == from)
        };
        for (id, entry) in &state.processes {
            let spared = tree.spared.iter().any(|spared| descends(*id, *spared));
            let later = entry.born >= tree.since;
            let dies = *id == tree.root || (later && (tree.orphans || descends(*id, tree.root)));
            if !spared && dies {
                entry.killed.cancel();
            }
        }
    }
}
