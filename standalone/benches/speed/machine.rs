//! The machine that is measured on, and whether it has anything else to do.

use std::thread::{available_parallelism, sleep};
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;

use crate::memory;

/// How long it is watched before anything is started.
const WATCHED: Duration = Duration::from_secs(1);
/// Share of the processors above which something else is running. An idle machine is below 0.02.
const BUSY: f64 = 0.1;
/// Load of a processor over the last minute above which the same is said. A build just before
/// counts in it.
const LOADED: f64 = 0.5;

/// What it is, and what it was doing.
#[derive(Debug, Serialize)]
pub struct Machine {
    kernel: String,
    processor: String,
    cores: usize,
    memory_bytes: u64,
    /// Runnable processes on average over the last minute.
    load: f64,
    /// Share of all processors in use during the second before the services were started.
    busy: f64,
    crucible: &'static str,
}

impl Machine {
    /// Watches it for a second.
    pub fn look() -> anyhow::Result<Self> {
        let processors = std::fs::read_to_string("/proc/cpuinfo")?;
        let model = processors.lines().find(|line| line.starts_with("model name"));
        let model = model.and_then(|line| line.split_once(": ")).map_or("unknown", |(_, it)| it);
        let load = std::fs::read_to_string("/proc/loadavg")?;
        let load = load.split_whitespace().next().context("a load average")?.parse()?;
        let (total, idle) = ticks()?;
        sleep(WATCHED);
        let (total_after, idle_after) = ticks()?;
        let passed = (total_after - total).max(1);
        Ok(Self {
            kernel: std::fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            processor: String::from(model),
            cores: available_parallelism()?.get(),
            memory_bytes: memory::total()?,
            load,
            busy: 1.0 - (idle_after - idle) as f64 / passed as f64,
            crucible: env!("CARGO_PKG_VERSION"),
        })
    }

    /// What speaks against believing the figures.
    pub fn warning(&self) -> Option<String> {
        let Self { load, busy, cores, .. } = self;
        let disturbed = *busy > BUSY || load / *cores as f64 > LOADED;
        disturbed.then(|| {
            let percent = busy * 100.0;
            format!(
                "the machine is not idle, or was not until now, as after a build (load {load}, \
                 {percent:.0} % busy)"
            )
        })
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kernel, processor, cores, memory_bytes, load, busy, crucible } = self;
        let (memory, percent) = (memory_bytes >> 30, busy * 100.0);
        write!(f, "Crucible {crucible} on Linux {kernel}, {cores} × {processor}, {memory} GiB, ")?;
        write!(f, "load {load}, {percent:.0} % busy before the start")
    }
}

/// Ticks of all processors since the machine was started: all of them, and the idle ones.
fn ticks() -> anyhow::Result<(u64, u64)> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().context("a line for all processors")?;
    let ticks: Vec<u64> =
        line.split_whitespace().skip(1).map(str::parse).collect::<Result<_, _>>()?;
    // user, nice, system, idle, iowait, …; the guests' at the end are in user's already.
    let idle = ticks.get(3).context("idle ticks")? + ticks.get(4).context("waiting ticks")?;
    Ok((ticks.iter().take(8).sum(), idle))
}
