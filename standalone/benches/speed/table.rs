//! What is read on the screen.

use clap::ValueEnum;

use crate::comparison::{Bound, Claim, Comparison};
use crate::figures::Figures;
use crate::interpreters::Interpreters;
use crate::machine::Machine;
use crate::name::Name;

/// The workloads and what they are.
pub fn names() {
    for name in Name::value_variants() {
        let value = name.to_possible_value().expect("all can be named");
        let about = value.get_help().map(ToString::to_string).unwrap_or_default();
        println!("{:<16} {about}", value.get_name());
    }
}

/// Where and on what it is measured.
pub fn machine(machine: &Machine, interpreters: &Interpreters) {
    println!("{machine}");
    println!("{interpreters}");
    if let Some(warning) = machine.warning() {
        println!("WARNING: {warning}: do not quote these figures");
    }
}

/// The table itself.
pub fn comparisons(all: &[Comparison], verbose: bool) {
    println!();
    println!("{:<16} {:^35}   {:^35}", "", "Crucible (ms)", "bare (ms)");
    let columns = format!("{:>8} {:>8} {:>8} {:>8}", "p50", "p95", "p99", "runs/s");
    println!("{:<16} {columns}   {columns}   {:>8}  target", "", "ratio");
    for Comparison { name, crucible, bare, claims, phases: _ } in all {
        let (first, rest) = claims
            .split_first()
            .map_or((None, claims.as_slice()), |(first, rest)| (Some(first), rest));
        let verdict = first.map(claim).unwrap_or_default();
        println!("{name:<16} {}   {}   {verdict}", figures(crucible), figures(bare));
        for other in rest {
            println!("{:<16} {:>73}   {}", "", other.what, claim(other));
        }
    }
    println!(
        "\nNot against a process of the same text: session-step (bare Python hello), plot (a running\n\
         interpreter), idle-sessions (the same before there were any sessions)."
    );
    if verbose {
        println!("\nMeans of what the answers say:");
        all.iter().for_each(|it| println!("{:<16} {}", it.name, it.phases.text()));
    }
    let missed = all.iter().flat_map(|it| &it.claims).filter(|claim| !claim.met).count();
    println!("\n{missed} targets are not met.");
}

fn figures(figures: &Figures) -> String {
    let Figures { runs: _, p50_ms, p95_ms, p99_ms, runs_per_second } = figures;
    format!("{p50_ms:8.2} {p95_ms:8.2} {p99_ms:8.2} {runs_per_second:8.1}")
}

fn claim(claim: &Claim) -> String {
    let Claim { what: _, unit, measured, target, met } = claim;
    let (sign, bound) = match target {
        Bound::AtMost(bound) => ("≤", bound),
        Bound::AtLeast(bound) => ("≥", bound),
    };
    let measured = format!("{measured:.3}{unit}");
    let met = if *met { "met" } else { "NOT MET" };
    format!("{measured:>8}  {sign} {bound}{unit} {met}")
}
