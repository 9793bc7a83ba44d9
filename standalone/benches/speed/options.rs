//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::name::Name;

/// Compares runs on Crucible, over HTTP with a token, with bare processes of the same source text.
///
/// It starts the services itself, in a temporary directory. The machine should do nothing else.
#[derive(Debug, Parser)]
#[command(name = "cargo bench --")]
pub struct Options {
    /// Fewer repetitions: less than a minute
    #[arg(long)]
    pub quick: bool,
    /// Only these workloads
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    only: Vec<Name>,
    /// Print the workloads and end
    #[arg(long)]
    pub list: bool,
    /// Write the figures to a file as well
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Instead of the workloads: this many mixed runs by eight callers, and what they leave behind
    #[arg(long, value_name = "RUNS", value_parser = clap::value_parser!(u32).range(100..))]
    pub soak: Option<u32>,
    /// Idle milliseconds after a run of a single caller. The next sandbox must be made meanwhile, or either
    /// side pays for that; in a longer pause the processor forgets both sides (Node needs 80)
    #[arg(long, value_name = "MS", default_value_t = 80)]
    pause: u64,
    /// Also print what the answers say about where the time went
    #[arg(long, short)]
    pub verbose: bool,
    /// A setting of the services, such as MAX_POOL_SIZE=16; may be repeated
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    pub settings: Vec<(String, String)>,
    /// Measure this `crucible` instead of the one that was built with the benchmark
    #[arg(long, value_name = "EXECUTABLE", default_value = env!("CARGO_BIN_EXE_crucible"), hide_default_value = true)]
    pub launcher: PathBuf,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

/// How much of everything is done.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Runs on either side of a workload of a single caller.
    pub pairs: u32,
    /// Idle time after a run on Crucible.
    pub settle: Duration,
    /// How often both sides take turns with many callers.
    pub rounds: u32,
    /// Length of such a turn.
    pub round: Duration,
    /// Idle sessions.
    pub sessions: u32,
}

impl Options {
    /// The workloads to play, in the order of their declaration.
    pub fn chosen(&self) -> Vec<Name> {
        let wanted = |name: &Name| self.only.is_empty() || self.only.contains(name);
        Name::value_variants().iter().copied().filter(wanted).collect()
    }

    /// How much to do.
    pub fn effort(&self) -> Effort {
        if self.quick {
            Effort {
                pairs: 15,
                settle: Duration::from_millis(self.pause),
                rounds: 1,
                round: Duration::from_millis(1500),
                sessions: 200,
            }
        } else {
            Effort {
                pairs: 200,
                settle: Duration::from_millis(self.pause),
                rounds: 4,
                round: Duration::from_secs(5),
                sessions: 1000,
            }
        }
    }
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("must look like NAME=VALUE")?;
    Ok((String::from(name), String::from(value)))
}
