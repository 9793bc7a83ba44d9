//! What an attack came to.

mod console;
mod harmless;

use std::collections::BTreeMap;

use serde::Serialize;

pub use console::Console;
pub use harmless::{harmless, harmless_json};

use super::bystander::Latencies;
use super::corpus::{Entry, Text};
use super::judge::{Rule, Violation};
use super::service::ServiceInfo;

/// Lines of a log that are shown.
const LOG_LINES: usize = 30;
/// Characters of a program, or of what came back, that a finding shows.
const SHOWN: usize = 600;

/// What an attack came to.
#[derive(Debug, Serialize)]
pub struct AttackReport {
    /// Nothing got through and nothing was left, of all that was run.
    pub held: bool,
    /// `full` or `degraded`, as the service says.
    pub isolation: String,
    /// Whether the expectations without cgroups were used.
    pub cgroups: bool,
    /// Whether what was left could be counted, which it cannot of a live service.
    pub counted: bool,
    /// Everything that is wrong.
    pub findings: Vec<Finding>,
    /// What could not be run here.
    pub skipped: Vec<Skipped>,
    /// Which counts could not be taken.
    pub not_looked_at: Vec<String>,
    /// Group by group.
    pub groups: Vec<GroupSummary>,
    /// Another user's times.
    pub bystander: Option<BystanderLatencies>,
    /// What the service complained of, if anything is wrong: the last lines of its log from
    /// warnings up.
    pub log: Vec<String>,
    /// From the start of the service to its end.
    pub seconds: f64,
}

/// One thing that is wrong.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// The file.
    pub group: String,
    /// The entry.
    pub name: String,
    /// What it tries.
    pub tries: String,
    /// What is wrong with it.
    #[serde(flatten)]
    pub violation: Violation,
    /// What was run or sent, shortened.
    pub program: String,
    /// Why this gets through on such a host, where that is known and documented.
    pub known: Option<String>,
}

/// How long another user waited for answers.
#[derive(Debug, Serialize)]
pub struct BystanderLatencies {
    /// Before the attacks.
    pub before: Latencies,
    /// During the attacks.
    pub during: Latencies,
}

/// An entry that could not be run here.
#[derive(Debug, Serialize)]
pub struct Skipped {
    /// The entry.
    pub name: String,
    /// What is missing.
    pub why: String,
}

/// A group in figures.
#[derive(Debug, Default, Serialize)]
pub struct GroupSummary {
    /// The file.
    pub name: String,
    /// Entries that were run, by language.
    pub ran: BTreeMap<&'static str, usize>,
    /// Entries that could not be.
    pub skipped: usize,
    /// Entries with which something is wrong.
    pub wrong: usize,
    /// How long it took.
    pub seconds: f64,
}

impl AttackReport {
    /// Of a service, before the first entry.
    pub fn new(info: ServiceInfo) -> Self {
        Self {
            held: false,
            isolation: info.isolation,
            cgroups: info.cgroups,
            counted: false,
            findings: Vec::new(),
            skipped: Vec::new(),
            not_looked_at: Vec::new(),
            groups: Vec::new(),
            bystander: None,
            log: Vec::new(),
            seconds: 0.0,
        }
    }

    /// Adds what is wrong with all of it rather than with one entry.
    pub fn add(&mut self, name: &str, tries: &str, wrong: Vec<Violation>, console: &Console) {
        let finding = |violation| Finding {
            group: String::from("everything"),
            name: String::from(name),
            tries: String::from(tries),
            violation,
            program: String::new(),
            known: None,
        };
        let findings: Vec<Finding> = wrong.into_iter().map(finding).collect();
        console.findings(&findings);
        self.findings.extend(findings);
    }

    /// Entries that were run.
    pub fn ran(&self) -> usize {
        self.groups.iter().flat_map(|group| group.ran.values()).sum()
    }

    /// Keeps what explains a finding: the log itself ends with the service.
    pub fn explain(&mut self, log: &str) {
        let graver = |line: &&str| {
            ["\"ERROR\"", "\"WARN\"", "panicked"].iter().any(|word| line.contains(word))
        };
        if !self.findings.is_empty() {
            let lines: Vec<&str> = log.lines().filter(graver).collect();
            let last = lines.iter().skip(lines.len().saturating_sub(LOG_LINES));
            self.log = last.map(|line| shortened(line)).collect();
        }
    }

    /// The verdict, when nothing more is to come: something was run, and nothing is wrong.
    pub fn judged(mut self) -> Self {
        self.held = self.findings.is_empty() && self.ran() > 0;
        self
    }
}

impl GroupSummary {
    /// Before its first entry.
    pub fn new(name: &str) -> Self {
        Self { name: String::from(name), ..Self::default() }
    }

    /// Counts an entry that was run.
    pub fn count(&mut self, language: &'static str, wrong: &[Violation]) {
        *self.ran.entry(language).or_default() += 1;
        self.wrong += usize::from(!wrong.is_empty());
    }
}

impl Finding {
    /// What is wrong with an entry.
    pub fn about(group: &str, entry: &Entry, violation: Violation, cgroups: bool) -> Self {
        let (tries, program) = match entry {
            Entry::Program(program) => match &program.text {
                Text::Once(code) => (&program.tries, code.clone()),
                Text::Steps(steps) => (&program.tries, steps.join("\n── then ──\n")),
            },
            Entry::Request(request) => {
                let template = &request.first;
                let line = format!("{} {} by {:?}", template.method, template.path, template.actor);
                (&request.tries, line)
            }
            Entry::Crowd(crowd) => {
                (&crowd.tries, format!("in {} sessions: {}", crowd.sessions, crowd.code))
            }
        };
        let Violation { rule, expected, seen } = violation;
        let known = match entry {
            Entry::Program(program) if rule == Rule::Achieved && !cgroups => {
                program.open_without_cgroups.clone()
            }
            Entry::Program(_) | Entry::Request(_) | Entry::Crowd(_) => None,
        };
        Self {
            group: String::from(group),
            name: String::from(entry.name()),
            tries: tries.clone(),
            violation: Violation { rule, expected, seen: shortened(&seen) },
            program: shortened(&program),
            known,
        }
    }
}

/// The beginning, and how much more there is.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        None => String::from(text),
        Some((end, _)) => format!("{} … ({} bytes)", &text[..end], text.len()),
    }
}
