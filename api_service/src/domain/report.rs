//! What a run did. A program that fails is no error of ours: it is data, and it is all here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::artifact::{Artifact, Changes, Collected};
use crate::domain::capture::CapturedText;
use crate::domain::model_text;
use crate::domain::timestamp::Timestamp;

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// It ended well.
    Succeeded,
    /// An exception, or a non-zero exit.
    Failed,
    /// It never ran: the compiler refused it.
    CompileFailed,
    /// It was still running when its time was up.
    TimedOut,
    /// It wanted more memory than it was allowed.
    OutOfMemory,
    /// It wrote far more than anybody could read.
    OutputLimitExceeded,
    /// It filled its disk.
    DiskLimitExceeded,
    /// A signal ended it.
    Killed,
    /// Its caller no longer wanted it.
    Cancelled,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Succeeded,
        Self::Failed,
        Self::CompileFailed,
        Self::TimedOut,
        Self::OutOfMemory,
        Self::OutputLimitExceeded,
        Self::DiskLimitExceeded,
        Self::Killed,
        Self::Cancelled,
    ];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::CompileFailed => "compile_failed",
            Self::TimedOut => "timed_out",
            Self::OutOfMemory => "out_of_memory",
            Self::OutputLimitExceeded => "output_limit_exceeded",
            Self::DiskLimitExceeded => "disk_limit_exceeded",
            Self::Killed => "killed",
            Self::Cancelled => "cancelled",
        }
    }

    /// By its name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == text)
    }
}

/// One rich value, in several representations by MIME type; binary ones are base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RichResult {
    /// The representations.
    pub mime: BTreeMap<String, String>,
    /// Large ones, where they can be fetched: by MIME type as well.
    pub stored: BTreeMap<String, Artifact>,
    /// True for the value of the last expression.
    pub is_main_result: bool,
}

impl RichResult {
    /// Whether it is no value, but says that what comes next takes the place of all that came before.
    pub fn clears(&self) -> bool {
        self.mime.is_empty() && self.stored.is_empty()
    }

    /// Roughly what it takes in memory, in bytes; an empty one takes something, too.
    pub fn size(&self) -> usize {
        const OVERHEAD: usize = 64;
        let parts = self.mime.iter().map(|(kind, data)| kind.len() + data.len());
        let stored = self.stored.iter();
        let stored = stored.map(|(kind, file)| OVERHEAD + kind.len() + file.path.0.len());
        OVERHEAD + parts.chain(stored).sum::<usize>()
    }
}

/// How much a program wrote to one stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StreamTotals {
    /// All of it, in bytes.
    pub bytes: u64,
    /// True when some of it was left out.
    pub truncated: bool,
    /// What the worker keeps of it; absent where the text is all, or nothing could be kept.
    pub stored: Option<StoredOutput>,
}

/// A stream that the worker keeps, as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredOutput {
    /// How many of its bytes, from the first on.
    pub bytes: u64,
    /// Until when at most.
    pub until: Timestamp,
}

/// What a run consumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// Processor time of all processes together.
    pub cpu: Duration,
    /// Highest memory use of all processes together, in bytes.
    pub peak_memory_bytes: u64,
    /// Most processes at once.
    pub processes: u32,
    /// Disk space in use at the end, in bytes.
    pub disk_bytes: u64,
    /// `enforced` (counted by the kernel) or `best_effort`.
    pub accounting: String,
    /// True when something else went on in the session meanwhile, whose share is in these figures.
    pub shared: bool,
}

/// Where the time went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phases {
    /// Waiting for a free slot.
    pub queue: Duration,
    /// Getting a sandbox ready.
    pub start: Duration,
    /// Compiling, where the language does.
    pub compile: Option<Duration>,
    /// Running.
    pub run: Duration,
    /// True when no sandbox was ready and one had to be made.
    pub cold_start: bool,
}

/// What went wrong, for a model that must repair its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// exception, syntax, compile, limit, signal or exit.
    pub kind: String,
    /// The exception's class, the signal, the limit.
    pub name: String,
    /// What the language said.
    pub message: String,
    /// In which of the user's files.
    pub file: Option<String>,
    /// Counted from 1.
    pub line: Option<u32>,
    /// Counted from 1.
    pub column: Option<u32>,
    /// The user's own frames.
    pub traceback: Option<String>,
    /// The module that could not be imported.
    pub missing_module: Option<String>,
    /// True when the same code may succeed another time.
    pub retryable: bool,
    /// What usually helps.
    pub hint: Option<String>,
}

/// The end of a run, as the worker saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How the program ended.
    pub status: Status,
    /// Its exit status, if it had one.
    pub exit_code: Option<i32>,
    /// The signal that ended it, by name.
    pub signal: Option<String>,
    /// The whole run.
    pub duration: Duration,
    /// Totals of standard output.
    pub stdout: StreamTotals,
    /// Totals of standard error.
    pub stderr: StreamTotals,
    /// What it consumed.
    pub usage: Usage,
    /// Where the time went.
    pub phases: Phases,
    /// What went wrong, if something did.
    pub diagnostic: Option<Diagnostic>,
    /// True when the session's interpreter had to be restarted: variables are gone, files are not.
    pub state_lost: bool,
    /// Results that it displayed and that are not among those of the report.
    pub results_omitted: u32,
    /// The files that it was to bring; absent when it was to bring none.
    pub collected: Option<Collected>,
    /// The files that it changed; absent outside of a session.
    pub changes: Option<Changes>,
}

/// Everything that a run answers: its outcome and what it wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// What it wrote to standard output.
    pub stdout: CapturedText,
    /// What it wrote to standard error.
    pub stderr: CapturedText,
    /// What it displayed.
    pub results: Vec<Arc<RichResult>>,
    /// What a model should read of it, where that was asked for.
    pub text: Option<String>,
    /// The isolation that was in force: `full` or `degraded`.
    pub isolation: String,
}

impl Report {
    /// Roughly how long it is in JSON, in bytes, where standard output stands twice.
    pub fn length(&self) -> usize {
        const FIELDS: usize = 2 << 10;
        let Self { outcome, stdout, stderr, results, text, isolation: _ } = self;
        let results: usize = results.iter().map(|result| result.size()).sum();
        let text = text.as_deref().map_or(0, escaped);
        FIELDS
            + 2 * escaped(&stdout.text)
            + escaped(&stderr.text)
            + results
            + text
            + outcome.length_of_files()
    }

    /// Roughly how long an answer is in JSON that has nothing but the text for a model, in bytes.
    pub fn length_of_text(&self) -> usize {
        const FIELDS: usize = 256;
        FIELDS + self.text.as_deref().map_or(0, escaped)
    }

    /// A copy of what the history keeps: a table of runs is not a store of their output. The answer
    /// itself was whole.
    #[must_use]
    pub fn for_history(&self) -> Self {
        let Self { outcome, stdout, stderr, results, text, isolation } = self;
        let (stdout, stdout_is_cut) = beginning_of(stdout);
        let (stderr, stderr_is_cut) = beginning_of(stderr);
        let mut outcome = outcome.clone();
        outcome.stdout.truncated |= stdout_is_cut;
        outcome.stderr.truncated |= stderr_is_cut;
        let mut left = MOST_OF_HISTORY;
        let fits = |result: &&Arc<RichResult>| {
            let size = result.size();
            let fits = size <= left;
            left -= if fits { size } else { 0 };
            fits
        };
        let kept: Vec<_> = results.iter().filter(fits).cloned().collect();
        let omitted = u32::try_from(results.len() - kept.len()).unwrap_or(u32::MAX);
        outcome.results_omitted = outcome.results_omitted.saturating_add(omitted);
        let text = text.as_deref().map(|text| model_text::shortened(text, MOST_OF_HISTORY));
        Self { outcome, stdout, stderr, results: kept, text, isolation: isolation.clone() }
    }
}

/// The length of `text` in JSON at most, in bytes: most control characters grow sixfold.
fn escaped(text: &str) -> usize {
    text.len() + 5 * text.bytes().filter(|byte| *byte < b' ').count()
}

/// What the history keeps of each stream, and of all results together, in bytes.
pub const MOST_OF_HISTORY: usize = 64 << 10;

/// The beginning of a stream, and whether that is not all of it.
fn beginning_of(stream: &CapturedText) -> (CapturedText, bool) {
    let CapturedText { text, replaced } = stream;
    let end = text.floor_char_boundary(MOST_OF_HISTORY);
    let is_cut = end < text.len();
    let mut kept = text[..end].to_owned();
    if is_cut {
        kept.push_str("\n… [the history keeps no more] …\n");
    }
    (CapturedText { text: kept, replaced: *replaced }, is_cut)
}

impl Outcome {
    /// Roughly what its files take in JSON, in bytes.
    fn length_of_files(&self) -> usize {
        const OVERHEAD: usize = 256;
        let collected = self.collected.iter().flat_map(|collected| {
            let artifacts = collected.artifacts.iter().map(|one| &one.path);
            artifacts.chain(collected.omitted.iter().map(|one| &one.path))
        });
        let changed = self.changes.iter().flat_map(|changes| &changes.files).map(|one| &one.path);
        // A path stands there by itself and in an address, where each byte may be three.
        collected.chain(changed).map(|path| OVERHEAD + 4 * path.0.len()).sum()
    }

    /// One line that says what went wrong; `None` when nothing did.
    pub fn error_line(&self) -> Option<String> {
        if self.status == Status::Succeeded {
            return None;
        }
        let line = match &self.diagnostic {
            // What its caller did is no finding about the code.
            _ if self.status == Status::Cancelled => self.status_line(),
            Some(found) if found.name == found.message => found.name.clone(),
            Some(found) if found.name.is_empty() => found.message.clone(),
            Some(found) if found.message.is_empty() => found.name.clone(),
            Some(found) => format!("{}: {}", found.name, found.message),
            None => self.status_line(),
        };
        Some(line.lines().next().unwrap_or_default().to_owned())
    }

    fn status_line(&self) -> String {
        match self.status {
            Status::Succeeded => String::new(),
            Status::Failed => match self.exit_code {
                Some(code) => format!("the program ended with exit code {code}"),
                None => "the program failed".to_owned(),
            },
            Status::CompileFailed => "the code did not compile".to_owned(),
            Status::TimedOut => "the time limit was reached".to_owned(),
            Status::OutOfMemory => "the memory limit was reached".to_owned(),
            Status::OutputLimitExceeded => "the output limit was reached".to_owned(),
            Status::DiskLimitExceeded => "the disk limit was reached".to_owned(),
            Status::Killed => match &self.signal {
                Some(signal) => format!("the program was ended by {signal}"),
                None => "the program was ended by a signal".to_owned(),
            },
            Status::Cancelled => "the run was cancelled".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CapturedText, MOST_OF_HISTORY, beginning_of};

    proptest::proptest! {
        /// Wherever the history's limit falls, it falls between two characters.
        #[test]
        fn the_history_cuts_no_character(start in "[a-zäß€😀]{0,9}", rest in "[aä€😀]") {
            let text = start.clone() + &rest.repeat(MOST_OF_HISTORY + 1);
            let (kept, is_cut) =
                beginning_of(&CapturedText { text: text.clone(), replaced: false });
            let (beginning, _) = kept.text.split_once("\n… [the history").unwrap();
            proptest::prop_assert!(is_cut && text.starts_with(beginning));
            proptest::prop_assert!(beginning.len() > MOST_OF_HISTORY - 4);
            proptest::prop_assert!(beginning.len() <= MOST_OF_HISTORY);
        }
    }
}
