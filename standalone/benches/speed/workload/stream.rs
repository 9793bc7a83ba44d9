//! What a program writes, as a stream of events: when it arrives, and what a stream costs.
//!
//! The programs print the time at which they print it. Both ends are on one machine and read one clock.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::Barrier;
use std::thread::scope;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, anyhow, ensure};
use hyper::Method;
use serde_json::{Value, json};

use super::program::PYTHON_HELLO;
use super::single::Single;
use super::{Name, Stage};
use crate::answer::Phases;
use crate::bare;
use crate::caller::{Caller, Ran};
use crate::comparison::{Bound, Claim, Comparison};
use crate::events::Event;
use crate::figures::Figures;

const RUN: &str = "/v1/code_interpreter/run";
const EXECUTIONS: &str = "/v1/code_interpreter/executions";

/// Hello as a stream, against hello in one answer.
pub struct Hello {
    unary: Caller,
}

impl Hello {
    /// With a connection for the other side.
    pub fn new(stage: &Stage<'_>) -> anyhow::Result<Self> {
        Ok(Self { unary: stage.service.caller()? })
    }
}

impl Single for Hello {
    fn crucible(&mut self, caller: &mut Caller, _turn: u32) -> anyhow::Result<Ran> {
        let ran = caller.run_streaming(&hello(), |_| Ok(()))?;
        ran.answer.printed("hello\n")?;
        Ok(ran)
    }

    fn bare(&mut self, _turn: u32) -> anyhow::Result<Duration> {
        let Ran { took, answer } = self.unary.run(&hello())?;
        answer.printed("hello\n")?;
        Ok(took)
    }
}

fn hello() -> Value {
    json!({"language": "python", "code": PYTHON_HELLO})
}

/// A Python program that prints the time `lines` times, one each `pause` milliseconds, when `before`
/// milliseconds have passed.
fn clock(before: u32, lines: u32, pause: u32) -> String {
    format!(
        "import time\n\
         time.sleep({before} / 1000)\n\
         begin = time.monotonic()\n\
         for line in range({lines}):\n    \
             rest = begin + line * {pause} / 1000 - time.monotonic()\n    \
             if rest > 0: time.sleep(rest)\n    \
             print(time.time_ns(), flush=True)\n\
         time.sleep({pause} / 1000)\n"
    )
}

/// How long ago the times in `text` were, each in a line of its own.
fn ages(text: &str) -> anyhow::Result<Vec<Duration>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let age = |line: &str| Ok(now.saturating_sub(Duration::from_nanos(line.parse()?)));
    text.lines().map(age).collect()
}

/// Puts the text of `stdout` events together to lines, and tells how old each is.
#[derive(Default)]
struct Lines {
    unfinished: String,
    ages: Vec<Duration>,
}

impl Lines {
    fn absorb(&mut self, event: &Event) -> anyhow::Result<()> {
        if event.name != "stdout" {
            return Ok(());
        }
        let data: Value = serde_json::from_str(&event.data)?;
        self.unfinished += data["text"].as_str().context("a text")?;
        if let Some(end) = self.unfinished.rfind('\n') {
            let rest = self.unfinished.split_off(end + 1);
            let lines = std::mem::replace(&mut self.unfinished, rest);
            self.ages.extend(ages(&lines)?);
        }
        Ok(())
    }

    /// Fails unless there were as many as this.
    fn all(self, lines: u32) -> anyhow::Result<Vec<Duration>> {
        ensure!(self.ages.len() == lines as usize, "{} of {lines} lines", self.ages.len());
        Ok(self.ages)
    }
}

/// One line at a time, while nothing else goes on.
pub fn first_byte(stage: &Stage<'_>, name: Name) -> anyhow::Result<Comparison> {
    let mut caller = stage.service.caller()?;
    let code = clock(30, 1, 30);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..stage.effort.pairs {
        ours.extend(streamed(&mut caller, &code, 1)?);
        theirs.extend(piped(&stage.interpreters.python, &code, 1)?);
    }
    let (crucible, bare) = (Figures::in_a_row(ours), Figures::in_a_row(theirs));
    let claims = vec![Claim::new("p50", " ms", crucible.p50_ms, Bound::AtMost(5.0))];
    Ok(Comparison { name: name.text(), crucible, bare, claims, phases: Phases::default() })
}

/// A thousand lines in a second.
pub fn events(stage: &Stage<'_>, name: Name) -> anyhow::Result<Comparison> {
    const LINES: u32 = 1000;
    let mut caller = stage.service.caller()?;
    let code = clock(30, LINES, 1);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..stage.effort.rounds {
        ours.extend(streamed(&mut caller, &code, LINES)?);
        theirs.extend(piped(&stage.interpreters.python, &code, LINES)?);
    }
    let (crucible, bare) = (Figures::in_a_row(ours), Figures::in_a_row(theirs));
    let claims = vec![
        Claim::new("p50", " ms", crucible.p50_ms, Bound::AtMost(5.0)),
        Claim::new("p99", " ms", crucible.p99_ms, Bound::AtMost(20.0)),
    ];
    Ok(Comparison { name: name.text(), crucible, bare, claims, phases: Phases::default() })
}

/// Many who follow one run, against one who does.
pub fn followers(stage: &Stage<'_>, name: Name, many: u32) -> anyhow::Result<Comparison> {
    let (mut crowd, mut alone) = (Vec::new(), Vec::new());
    for _ in 0..stage.effort.rounds {
        crowd.extend(followed_by(stage, many)?);
        alone.extend(followed_by(stage, 1)?);
    }
    let (crucible, bare) = (Figures::in_a_row(crowd), Figures::in_a_row(alone));
    let claims = vec![Claim::new("p99", " ms", crucible.p99_ms, Bound::AtMost(100.0))];
    Ok(Comparison { name: name.text(), crucible, bare, claims, phases: Phases::default() })
}

/// Ages of all lines that all of them were sent.
fn followed_by(stage: &Stage<'_>, many: u32) -> anyhow::Result<Vec<Duration>> {
    const LINES: u32 = 100;
    // Everybody is there before the first line.
    let mut starter = stage.service.caller()?;
    let together = Barrier::new(many as usize + 1);
    let run = json!({"language": "python", "code": clock(1000, LINES, 10), "detached": true});
    let (started, wanted) = std::sync::mpsc::channel::<String>();
    let wanted = std::sync::Mutex::new(wanted);
    scope(|scope| {
        let readers: Vec<_> = (0..many)
            .map(|_| {
                scope.spawn(|| {
                    let caller = stage.service.caller();
                    together.wait();
                    let mut caller = caller?;
                    let id = wanted.lock().map_err(|_| anyhow!("a follower failed"))?.recv()?;
                    let mut lines = Lines::default();
                    let path = format!("{EXECUTIONS}/{id}/events");
                    caller.follow(Method::GET, &path, None, |event| lines.absorb(&event))?;
                    lines.all(LINES)
                })
            })
            .collect();
        together.wait();
        let answer = starter.must(Method::POST, RUN, Some(&run), 202)?;
        let id = answer["execution_id"].as_str().context("an execution")?;
        for _ in 0..many {
            started.send(String::from(id))?;
        }
        let mut all = Vec::new();
        for reader in readers {
            all.extend(reader.join().map_err(|_| anyhow!("a follower panicked"))??);
        }
        Ok(all)
    })
}

fn streamed(caller: &mut Caller, code: &str, lines: u32) -> anyhow::Result<Vec<Duration>> {
    let mut seen = Lines::default();
    let request = json!({"language": "python", "code": code});
    caller.run_streaming(&request, |event| seen.absorb(event))?;
    seen.all(lines)
}

fn piped(python: &Path, code: &str, lines: u32) -> anyhow::Result<Vec<Duration>> {
    let mut child = bare::command(python, ["-c", code]).stdout(Stdio::piped()).spawn()?;
    let mut seen = Vec::new();
    for line in BufReader::new(child.stdout.take().context("it is piped")?).lines() {
        seen.extend(ages(&line?)?);
    }
    ensure!(child.wait()?.success() && seen.len() == lines as usize, "{} lines", seen.len());
    Ok(seen)
}
