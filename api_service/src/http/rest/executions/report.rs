//! What a run did, in all the answers that tell it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use utoipa::ToSchema;

use crate::http::rest::fields::words;

use super::artifact_json::{self, ArtifactBody, FileChangeBody, OmittedBody};
use super::diagnostic_json::DiagnosticBody;
use super::full_output::FullOutputBody;
use crate::domain::capture::CapturedText;
use crate::domain::ids::ExecutionId;
use crate::domain::report::{Outcome, Phases, Report, RichResult, Usage};

/// Everything about a run but what it was. Times are whole milliseconds, rounded.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportBody {
    /// The same as `stdout`.
    #[schema(value_type = String)]
    pub output: EncodedJson,
    /// What the program wrote to standard output.
    #[schema(value_type = String)]
    pub stdout: EncodedJson,
    /// What it wrote to standard error.
    pub stderr: String,
    /// One line that says what went wrong; null when nothing did.
    #[schema(required)]
    pub error: Option<String>,
    /// Its exit status; null when it did not end by itself.
    #[schema(required)]
    pub exit_code: Option<i32>,
    /// The signal that ended it, by name.
    #[schema(example = json!(null))]
    #[schema(required)]
    pub signal: Option<String>,
    /// The whole run, in milliseconds.
    pub duration_ms: u64,
    /// What it displayed.
    pub results: Vec<ResultBody>,
    /// What went wrong, for a model that must repair its code.
    #[schema(required)]
    pub diagnostic: Option<DiagnosticBody>,
    /// Whether output was left out, and how much there was.
    pub truncated: TruncatedBody,
    /// Whether output was text.
    pub encoding: EncodingBody,
    /// Where all of it can be had, byte by byte, when that is not here.
    pub full_output: FullOutputBody,
    /// What it consumed.
    pub usage: UsageBody,
    /// Where the time went.
    pub phases: PhasesBody,
    /// True when the session's interpreter had to be restarted: variables are gone, files are not.
    pub state_lost: bool,
    /// The isolation that was in force: full or degraded.
    #[schema(schema_with = words::isolation)]
    pub isolation: String,
    /// What a model should read of it, where `for_model` asked for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub text: Option<String>,
    /// The files that `collect` asked for, by path. What was not asked for is left out, here and below.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub artifacts: Option<Vec<ArtifactBody>>,
    /// Those that it asked for and that cannot be fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub artifacts_omitted: Option<Vec<OmittedBody>>,
    /// True when there are more names in the workspace than are looked at, or more that match than are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub artifacts_truncated: Option<bool>,
    /// In a session: files of the workspace that were changed during the run, by path; at most 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub files_changed: Option<Vec<FileChangeBody>>,
    /// True when there may be more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub files_changed_truncated: Option<bool>,
}

/// Text that is in JSON already: it stands in the answer twice, and escaping a long one is a good part of
/// the gateway's work.
#[derive(Debug, Clone)]
pub struct EncodedJson(Arc<Box<RawValue>>);

impl Serialize for EncodedJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// One rich value.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResultBody {
    /// Representations by MIME type; binary ones are base64, and those that end with `json` are valid JSON. Beside
    /// the picture of a figure stands `application/vnd.crucible.chart+json`, what is drawn in it; beside the text of
    /// a table `application/vnd.crucible.table+json`, its columns.
    #[schema(example = json!({
        "text/plain": "   a\n0  1\n1  2",
        "application/vnd.crucible.table+json": "{\"shape\": [2, 1], \"index\": [], \"columns\": [{\"name\": \
            \"a\", \"dtype\": \"int64\", \"values\": [1, 2]}], \"truncated\": false}",
    }))]
    pub mime: BTreeMap<String, String>,
    /// Large ones, which can be fetched; left out when there are none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub stored: BTreeMap<String, ArtifactBody>,
    /// True for the value of the last expression.
    pub is_main_result: bool,
}

/// Whether output was left out. Where it was, a marker line stands in the text.
#[derive(Debug, Serialize, ToSchema)]
pub struct TruncatedBody {
    /// Some of stdout was.
    pub stdout: bool,
    /// Some of stderr was.
    pub stderr: bool,
    /// Some results were.
    pub results: bool,
    /// How many results were.
    pub results_omitted: u32,
    /// All that was written to stdout, in bytes.
    pub stdout_bytes: u64,
    /// All that was written to stderr, in bytes.
    pub stderr_bytes: u64,
}

/// `utf-8`, or `replaced` when bytes were not text and stand as U+FFFD; `full_output` has the bytes.
#[derive(Debug, Serialize, ToSchema)]
pub struct EncodingBody {
    /// Of stdout.
    #[schema(schema_with = words::encoding)]
    pub stdout: &'static str,
    /// Of stderr.
    #[schema(schema_with = words::encoding)]
    pub stderr: &'static str,
}

/// What a run consumed.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageBody {
    /// Processor time of all processes together, in milliseconds.
    pub cpu_ms: u64,
    /// Highest memory use of all processes together, in bytes.
    pub peak_memory_bytes: u64,
    /// Most processes at once.
    pub processes: u32,
    /// Disk space in use at the end, in bytes.
    pub disk_bytes: u64,
    /// enforced (counted by the kernel) or best_effort.
    #[schema(schema_with = words::accounting)]
    pub accounting: String,
    /// True when something else went on in the session meanwhile, whose share is in these figures.
    pub shared: bool,
}

/// Where the time went, in milliseconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct PhasesBody {
    /// Waiting for a free slot.
    pub queue_ms: u64,
    /// Getting a sandbox ready.
    pub start_ms: u64,
    /// Compiling; null where the language does not.
    #[schema(required)]
    pub compile_ms: Option<u64>,
    /// Running.
    pub run_ms: u64,
    /// True when no sandbox was ready and one had to be made.
    pub cold_start: bool,
}

impl ResultBody {
    /// From the domain: a result of the run `id`.
    pub fn of(id: &ExecutionId, result: RichResult) -> Self {
        let RichResult { mime, stored, is_main_result } = result;
        let stored = stored.into_iter().map(|(kind, file)| {
            let mime = kind.clone();
            (kind, ArtifactBody { mime, ..ArtifactBody::of(id, &file) })
        });
        Self { mime, stored: stored.collect(), is_main_result }
    }
}

impl ReportBody {
    /// From the domain.
    ///
    /// # Errors
    /// When the output is not JSON.
    pub fn of(id: &ExecutionId, report: Report) -> Result<Self, serde_json::Error> {
        let error = report.outcome.error_line();
        let Report { outcome, stdout, stderr, results, text, isolation } = report;
        let Outcome {
            status: _,
            exit_code,
            signal,
            duration,
            stdout: stdout_totals,
            stderr: stderr_totals,
            usage,
            phases,
            diagnostic,
            state_lost,
            results_omitted,
            collected,
            changes,
        } = outcome;
        let (artifacts, omitted) =
            collected.map(|collected| artifact_json::collected(id, collected)).unzip();
        let (artifacts_omitted, artifacts_truncated) = omitted.unzip();
        let (files_changed, files_changed_truncated) = changes.map(artifact_json::changes).unzip();
        let written = EncodedJson(Arc::new(to_raw_value(&stdout.text)?));
        Ok(Self {
            output: written.clone(),
            encoding: EncodingBody { stdout: encoding(&stdout), stderr: encoding(&stderr) },
            stdout: written,
            stderr: stderr.text,
            error,
            exit_code,
            signal,
            duration_ms: millis(duration),
            results: results
                .into_iter()
                .map(|result| ResultBody::of(id, Arc::unwrap_or_clone(result)))
                .collect(),
            diagnostic: diagnostic.map(DiagnosticBody::from),
            truncated: TruncatedBody {
                stdout: stdout_totals.truncated,
                stderr: stderr_totals.truncated,
                results: results_omitted > 0,
                results_omitted,
                stdout_bytes: stdout_totals.bytes,
                stderr_bytes: stderr_totals.bytes,
            },
            full_output: FullOutputBody::of(id, stdout_totals, stderr_totals),
            usage: UsageBody::of(usage),
            phases: self::phases(phases),
            state_lost,
            isolation,
            text,
            artifacts,
            artifacts_omitted,
            artifacts_truncated,
            files_changed,
            files_changed_truncated,
        })
    }
}

impl UsageBody {
    /// From the domain.
    pub fn of(usage: Usage) -> Self {
        let Usage { cpu, peak_memory_bytes, processes, disk_bytes, accounting, shared } = usage;
        let cpu_ms = millis(cpu);
        Self { cpu_ms, peak_memory_bytes, processes, disk_bytes, accounting, shared }
    }
}

fn phases(phases: Phases) -> PhasesBody {
    let Phases { queue, start, compile, run, cold_start } = phases;
    PhasesBody {
        queue_ms: millis(queue),
        start_ms: millis(start),
        compile_ms: compile.map(millis),
        run_ms: millis(run),
        cold_start,
    }
}

fn encoding(captured: &CapturedText) -> &'static str {
    if captured.replaced { "replaced" } else { "utf-8" }
}

/// Rounded, not cut: 1.6 ms is 2.
fn millis(span: Duration) -> u64 {
    u64::try_from((span.as_micros() + 500) / 1000).unwrap_or(u64::MAX)
}
