//! Many callers at once: each starts its next run as soon as it has the answer to its last.

use std::sync::{Barrier, Mutex};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use serde_json::json;

use super::program::PYTHON_HELLO;
use super::{Name, Stage};
use crate::answer::Phases;
use crate::bare;
use crate::caller::Ran;
use crate::comparison::{Bound, Claim, Comparison};
use crate::figures::Figures;

/// Between the two sides, so that neither finds the other's work unfinished.
const REST: Duration = Duration::from_millis(500);

/// What one caller does over and over; the time it took.
type Step<'a> = Box<dyn FnMut() -> anyhow::Result<Duration> + 'a>;

/// Plays both sides in turns.
pub fn compare(stage: &Stage<'_>, name: Name, callers: u32) -> anyhow::Result<Comparison> {
    let request = json!({"language": "python", "code": PYTHON_HELLO});
    let phases = Mutex::new(Phases::default());
    let crucible = || {
        let mut caller = stage.service.caller()?;
        let (request, phases) = (&request, &phases);
        Ok(Box::new(move || {
            let Ran { took, answer } = caller.run(request)?;
            answer.printed("hello\n")?;
            phases.lock().map_err(|_| anyhow!("another caller failed"))?.add(&answer);
            Ok(took)
        }) as Step<'_>)
    };
    let python = &stage.interpreters.python;
    let bare = || {
        let mut hello = bare::command(python, ["-c", PYTHON_HELLO]);
        Ok(Box::new(move || bare::time(&mut hello, "hello\n")) as Step<'_>)
    };

    let (mut ours, mut theirs) = (Load::default(), Load::default());
    for _ in 0..stage.effort.rounds {
        ours.add(closed_loop(callers, stage.effort.round, &crucible)?);
        sleep(REST);
        theirs.add(closed_loop(callers, stage.effort.round, &bare)?);
        sleep(REST);
    }
    let (crucible, bare) = (ours.figures(), theirs.figures());
    let more = crucible.runs_per_second / bare.runs_per_second;
    let tail = crucible.p99_ms / bare.p99_ms;
    let claims = vec![
        Claim::new("runs/s", "×", more, Bound::AtLeast(3.0)),
        Claim::new("p99", "×", tail, Bound::AtMost(2.0)),
    ];
    let phases = phases.into_inner().map_err(|_| anyhow!("a caller failed"))?;
    Ok(Comparison { name: name.text(), crucible, bare, claims, phases })
}

/// What all callers of one side have measured.
#[derive(Default)]
struct Load {
    times: Vec<Duration>,
    elapsed: Duration,
}

impl Load {
    fn add(&mut self, other: Self) {
        self.times.extend(other.times);
        self.elapsed += other.elapsed;
    }

    fn figures(self) -> Figures {
        Figures::of(self.times, self.elapsed)
    }
}

/// Keeps `callers` threads busy for as long as `length`; a run that has begun is finished.
fn closed_loop<'a>(
    callers: u32,
    length: Duration,
    start: &(impl Fn() -> anyhow::Result<Step<'a>> + Sync),
) -> anyhow::Result<Load> {
    let together = Barrier::new(callers as usize + 1);
    scope(|scope| {
        let threads: Vec<_> = (0..callers)
            .map(|_| {
                scope.spawn(|| {
                    // Whoever cannot start is waited for all the same, or the others would hang.
                    let step = start();
                    together.wait();
                    let (mut step, begun) = (step?, Instant::now());
                    let mut times = Vec::new();
                    while begun.elapsed() < length {
                        times.push(step()?);
                    }
                    anyhow::Ok(times)
                })
            })
            .collect();
        together.wait();
        let begun = Instant::now();
        let mut times = Vec::new();
        for thread in threads {
            times.extend(thread.join().map_err(|_| anyhow!("a caller panicked"))??);
        }
        Ok(Load { times, elapsed: begun.elapsed() })
    })
}
