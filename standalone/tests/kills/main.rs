//! SIGKILL at random moments to a random process of a Crucible under load. Whatever dies, the service
//! answers again soon, every request has an answer or a record, and nothing is left behind.
//!
//! ```text
//! round ── Load       callers, and what came of each of their requests
//!       ├─ Victim     who dies, and how the service comes back
//!       ├─ ledger     what must be true of the requests, whoever died
//!       └─ Footprint  what is on the machine, before and after
//! ```
//! `KILLS=500 cargo test -p standalone --test kills -- --nocapture` is the long version; `SEED=…` repeats the
//! choices (not the moments, which are the machine's).

#[allow(dead_code, reason = "each of the two programs that use it uses its part")]
#[path = "../machine/crucible.rs"]
mod crucible;
#[allow(dead_code, reason = "each of the two programs that use it uses its part")]
#[path = "../machine/leaks.rs"]
mod leaks;
#[allow(dead_code, reason = "each of the two programs that use it uses its part")]
#[path = "../machine/processes.rs"]
mod processes;

mod footprint;
mod ledger;
mod load;
mod program;
mod report;
mod round;
mod service;
mod victim;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use footprint::Footprint;
use report::Report;
use service::Service;

/// As many as `cargo test` has time for.
const FEW: usize = 16;
/// Between two looks at what is left.
const ROUND: usize = 20;

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_killed_the_service_comes_back_and_nothing_is_lost_or_left() {
    let kills = setting("KILLS").map_or(FEW, |kills| usize::try_from(kills).expect("a count"));
    let seed = setting("SEED").unwrap_or_else(|| rand::rng().random());
    println!("{kills} kills, SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);

    let mut service = Service::start().await;
    let before = Footprint::at_rest(&mut service).await;
    println!("at rest: {before}");
    let mut report = Report::default();
    while report.kills() < kills {
        let count = ROUND.min(kills - report.kills());
        let round = round::play(&mut service, count, &mut random).await;
        let objections = ledger::objections(&service, &round).await;
        report.add(round);
        println!("{report}");
        assert!(objections.is_empty(), "SEED={seed}\n{}", objections.join("\n"));
        service.end_sessions().await;
        let after = Footprint::after(&mut service, &before).await;
        assert!(after.is_like(&before), "SEED={seed}\nbefore: {before}\nafter:  {after}");
        println!("at rest: {after}");
    }
    service.stop().await;
}
