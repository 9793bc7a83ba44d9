//! Thousands of mixed runs at full load: do errors occur, does anything grow?

mod mix;
mod report;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::crowd;
use crate::footprint::Footprint;
use crate::interpreters::Interpreters;
use crate::service::Service;
use mix::{Kind, Player};
pub use report::Report;

/// Callers at once.
const CALLERS: u32 = 8;
/// Runs before the first count, so that everything that is made once has been made.
const WARM_UP: u32 = 400;

/// One run of the mix.
struct Played {
    /// When it began, in the order of all callers.
    number: u32,
    kind: Kind,
    outcome: anyhow::Result<Duration>,
}

/// Plays `runs` of the mix and compares what the services hold afterwards with before.
pub fn run(service: &Service, interpreters: &Interpreters, runs: u32) -> anyhow::Result<Report> {
    let kinds: Vec<Kind> = Kind::MIX
        .into_iter()
        .filter(|kind| interpreters.lacks(&[kind.language()]).is_none())
        .collect();
    eprintln!("… {WARM_UP} runs to warm up");
    for Played { number, kind, outcome } in play(service, &kinds, WARM_UP)? {
        outcome.map_err(|error| error.context(format!("run {number}, {kind:?}")))?;
    }
    let before = Footprint::at_rest(service.pid());
    eprintln!("… {runs} runs by {CALLERS} callers");
    let begun = Instant::now();
    let played = play(service, &kinds, runs)?;
    let elapsed = begun.elapsed();
    let after = Footprint::at_rest(service.pid());
    Report::of(played, elapsed, before, after)
}

/// All runs, in no particular order. A run that goes wrong is told in its place; only a caller who
/// cannot begin or end is an error.
fn play(service: &Service, kinds: &[Kind], runs: u32) -> anyhow::Result<Vec<Played>> {
    let next = AtomicU32::new(0);
    let caller = || {
        let mut player = Player::begin(service)?;
        let mut played = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= runs {
                break;
            }
            let kind = kinds[number as usize % kinds.len()];
            let outcome = player.play(kind, number);
            if outcome.is_err() {
                // Its connection or a session may be of no use any more.
                player = Player::begin(service)?;
            }
            played.push(Played { number, kind, outcome });
        }
        player.end()?;
        Ok(played)
    };
    crowd::gather(CALLERS, caller)
}
