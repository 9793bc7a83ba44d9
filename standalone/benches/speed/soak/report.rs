//! What is said about a soak in the end.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::ensure;
use serde::Serialize;

use super::Played;
use super::mix::Kind;
use crate::figures::Figures;
use crate::footprint::{Footprint, Held};

/// Runs at either end whose medians are compared.
const SAMPLE: usize = 1000;
/// Errors that are shown.
const SHOWN: usize = 10;

/// Everything that was found.
#[derive(Debug, Serialize)]
pub struct Report {
    runs: usize,
    seconds: f64,
    errors: usize,
    /// The first of them.
    shown: Vec<String>,
    all: Figures,
    /// The earliest thousand, or a third where there are not as many.
    first: Figures,
    /// The latest.
    last: Figures,
    kinds: BTreeMap<Kind, (Figures, Figures)>,
    before: Footprint,
    after: Footprint,
}

impl Report {
    /// Puts it together.
    pub(super) fn of(
        mut played: Vec<Played>,
        elapsed: Duration,
        before: Footprint,
        after: Footprint,
    ) -> anyhow::Result<Self> {
        let runs = played.len();
        played.sort_by_key(|run| run.number);
        let mut shown = Vec::new();
        let mut errors = 0;
        let mut good = Vec::new();
        for Played { number, kind, outcome } in played {
            match outcome {
                Ok(took) => good.push((kind, took)),
                Err(error) => {
                    errors += 1;
                    if shown.len() < SHOWN {
                        shown.push(format!("run {number}, {kind:?}: {error:#}"));
                    }
                }
            }
        }
        ensure!(good.len() >= runs / 2 && runs > 2, "most runs failed: {shown:#?}");
        let sample = SAMPLE.min(good.len() / 3);
        let (first, last) = (&good[..sample], &good[good.len() - sample..]);
        Ok(Self {
            runs,
            seconds: elapsed.as_secs_f64(),
            errors,
            shown,
            all: Figures::of(times(&good, |_| true), elapsed),
            first: Figures::in_a_row(times(first, |_| true)),
            last: Figures::in_a_row(times(last, |_| true)),
            kinds: by_kind(first, last),
            before,
            after,
        })
    }

    /// Whether all runs were right. Whether something grew is for eyes: memory never stays the
    /// same to the byte.
    pub fn clean(&self) -> bool {
        self.errors == 0
    }

    /// On the screen.
    pub fn print(&self) {
        let Self { runs, seconds, errors, shown, all, first, last, kinds, before, after } = self;
        let rate = all.runs_per_second;
        println!("\n{runs} runs in {seconds:.0} s ({rate:.0} runs/s), {errors} errors");
        shown.iter().for_each(|error| println!("  {error}"));
        let sample = first.runs;
        println!("p50 and p99 in ms{:>19} {sample} {:>14} {sample}", "first", "last");
        line("all", first, last);
        for (kind, (first, last)) in kinds {
            line(&format!("{kind:?}"), first, last);
        }
        println!("\n{:<24} {:>10} {:>10}", "", "before", "after");
        println!("{:<24} {:>10} {:>10}", "processes", before.processes, after.processes);
        println!("{:<24} {:>10} {:>10}", "cgroups", before.cgroups, after.cgroups);
        for Held { name, pid, descriptors, mounts, resident } in &before.services {
            let later = after.services.iter().find(|held| held.name == *name);
            if later.is_none_or(|later| later.pid != *pid) {
                println!("{name:<24} is another process afterwards: it has died");
                continue;
            }
            let row = |what: &str, first: Option<u64>, last: Option<u64>| {
                let text =
                    |it: Option<u64>| it.map_or_else(|| "unknown".into(), |it| it.to_string());
                println!("{:<24} {:>10} {:>10}", format!("{name} {what}"), text(first), text(last));
            };
            let count = |it: Option<usize>| it.map(|it| it as u64);
            let kibibytes = |it: Option<u64>| it.map(|it| it >> 10);
            row("descriptors", count(*descriptors), later.and_then(|it| count(it.descriptors)));
            row("mounts", count(*mounts), later.and_then(|it| count(it.mounts)));
            row("resident KiB", kibibytes(*resident), later.and_then(|it| kibibytes(it.resident)));
        }
    }
}

fn line(name: &str, first: &Figures, last: &Figures) {
    let pair = |figures: &Figures| format!("{:9.2} {:9.2}", figures.p50_ms, figures.p99_ms);
    println!("{name:<20} {}   {}", pair(first), pair(last));
}

fn times(runs: &[(Kind, Duration)], wanted: impl Fn(Kind) -> bool) -> Vec<Duration> {
    runs.iter().filter(|(kind, _)| wanted(*kind)).map(|&(_, took)| took).collect()
}

/// First and last of each kind that is in both.
fn by_kind(
    first: &[(Kind, Duration)],
    last: &[(Kind, Duration)],
) -> BTreeMap<Kind, (Figures, Figures)> {
    let mut found = BTreeMap::new();
    for kind in Kind::MIX {
        let of = |runs| times(runs, |other| other == kind);
        let (first, last) = (of(first), of(last));
        if !first.is_empty() && !last.is_empty() {
            found.insert(kind, (Figures::in_a_row(first), Figures::in_a_row(last)));
        }
    }
    found
}
