//! Many sessions that do nothing: what they hold, and what they cost everybody else.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use super::program::PYTHON_HELLO;
use super::{Name, Stage};
use crate::answer::Phases;
use crate::comparison::{Bound, Claim, Comparison};
use crate::crowd;
use crate::figures::Figures;
use crate::footprint::settle;
use crate::memory;
use crate::processes::descendants;
use crate::service::{end_session, open_session};

/// Callers that make the sessions.
const MAKERS: u32 = 8;

/// After many sessions were made: how long nothing may change until they count as idle.
const REST: Duration = Duration::from_secs(2);

/// What all of 1,000 sessions may take, in GiB; fewer of them are allowed as much less.
const MOST: f64 = 4.0;

/// Plays it: hello, sessions, hello again.
pub fn compare(stage: &Stage<'_>, name: Name) -> anyhow::Result<Comparison> {
    let mut phases = Phases::default();
    let before = hellos(stage, &mut Phases::default())?;
    let sessions = make(stage)?;
    settle(stage.service.pid(), REST);
    let gibibytes = in_use(stage)? as f64 / f64::from(1 << 30);
    let with_them = hellos(stage, &mut phases)?;
    let count = sessions.len();
    end(stage, &sessions)?;
    let slower = Claim::p50(&with_them, &before, 1.5);
    let most = Bound::AtMost(MOST * count as f64 / 1000.0);
    let memory = Claim::new(format!("memory of {count} sessions"), " GiB", gibibytes, most);
    let claims = vec![slower, memory];
    Ok(Comparison { name: name.text(), crucible: with_them, bare: before, claims, phases })
}

/// Python hello, over and over.
fn hellos(stage: &Stage<'_>, phases: &mut Phases) -> anyhow::Result<Figures> {
    let mut caller = stage.service.caller()?;
    let request = json!({"language": "python", "code": PYTHON_HELLO});
    let mut times = Vec::new();
    for _ in 0..stage.effort.pairs {
        let ran = caller.run(&request)?;
        ran.answer.printed("hello\n")?;
        phases.add(&ran.answer);
        times.push(ran.took);
        sleep(stage.effort.settle);
    }
    Ok(Figures::in_a_row(times))
}

/// Bytes that everything of ours takes: the processes' own, or what the machine has less than
/// before, which includes the kernel's side of it. The larger one counts.
fn in_use(stage: &Stage<'_>) -> anyhow::Result<u64> {
    let mut processes = descendants(stage.service.pid());
    processes.push(stage.service.pid());
    let fallen = stage.available.saturating_sub(memory::available()?);
    let own = memory::of(&processes);
    let told = own.map_or_else(|| String::from("not readable"), |own| format!("{} MiB", own >> 20));
    eprintln!("  {} processes: {told}; the machine has {} MiB less", processes.len(), fallen >> 20);
    Ok(own.unwrap_or_default().max(fallen))
}

fn make(stage: &Stage<'_>) -> anyhow::Result<Vec<String>> {
    let left = AtomicU32::new(stage.effort.sessions);
    let take =
        || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
    let maker = || {
        let mut caller = stage.service.caller()?;
        let mut made = Vec::new();
        while take().is_ok() {
            let session = open_session(&mut caller, "python")?;
            let code = "import pandas; print(pandas.Series([1, 2]).sum())";
            let request = json!({"language": "python", "session_id": session, "code": code});
            caller.run(&request)?.answer.printed("3\n")?;
            made.push(session);
        }
        Ok(made)
    };
    crowd::gather(MAKERS, maker)
}

fn end(stage: &Stage<'_>, sessions: &[String]) -> anyhow::Result<()> {
    let mut caller = stage.service.caller()?;
    sessions.iter().try_for_each(|session| end_session(&mut caller, session))
}
