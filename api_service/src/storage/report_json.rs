//! A report as it is kept in its column. The shapes are declared a second time, on purpose: what is
//! in a database must not change because the domain or the API does, and a field that the domain
//! gains is a compile error here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Error;
use super::files_json::{ArtifactRow, ChangesRow, CollectedRow};
use crate::domain::capture::CapturedText;
use crate::domain::report::{
    Diagnostic, Outcome, Phases, Report, RichResult, Status, StoredOutput, StreamTotals, Usage,
};
use crate::domain::timestamp::Timestamp;

#[derive(Serialize, Deserialize)]
struct ReportRow {
    status: String,
    exit_code: Option<i32>,
    signal: Option<String>,
    duration_us: u64,
    stdout: StreamRow,
    stderr: StreamRow,
    results: Vec<ResultRow>,
    cpu_us: u64,
    peak_memory_bytes: u64,
    processes: u32,
    disk_bytes: u64,
    accounting: String,
    /// Rows of earlier versions do not have it.
    #[serde(default)]
    shared: bool,
    queue_us: u64,
    start_us: u64,
    compile_us: Option<u64>,
    run_us: u64,
    cold_start: bool,
    diagnostic: Option<DiagnosticRow>,
    state_lost: bool,
    /// Rows of earlier versions do not have it.
    #[serde(default)]
    results_omitted: u32,
    isolation: String,
    /// Rows of earlier versions do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    collected: Option<CollectedRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    changes: Option<ChangesRow>,
}

#[derive(Serialize, Deserialize)]
struct StreamRow {
    text: String,
    replaced: bool,
    bytes: u64,
    truncated: bool,
    /// Rows of earlier versions do not have it.
    #[serde(default)]
    stored: Option<StoredRow>,
}

#[derive(Serialize, Deserialize)]
struct StoredRow {
    bytes: u64,
    until_ms: i64,
}

#[derive(Serialize, Deserialize)]
struct ResultRow {
    mime: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    stored: BTreeMap<String, ArtifactRow>,
    is_main_result: bool,
}

#[derive(Serialize, Deserialize)]
struct DiagnosticRow {
    kind: String,
    name: String,
    message: String,
    file: Option<String>,
    line: Option<u32>,
    column: Option<u32>,
    traceback: Option<String>,
    missing_module: Option<String>,
    retryable: bool,
    hint: Option<String>,
}

/// As text for the column.
pub(super) fn write(report: Report) -> Result<String, Error> {
    serde_json::to_string(&to_row(report)).map_err(|_| Error::Unreadable("executions.report"))
}

/// From the text of the column.
pub(super) fn read(text: &str) -> Result<Report, Error> {
    serde_json::from_str(text).ok().and_then(from_row).ok_or(Error::Unreadable("executions.report"))
}

fn to_row(report: Report) -> ReportRow {
    let Report { outcome, stdout, stderr, results, text, isolation } = report;
    let Outcome {
        status,
        exit_code,
        signal,
        duration,
        stdout: stdout_totals,
        stderr: stderr_totals,
        usage: Usage { cpu, peak_memory_bytes, processes, disk_bytes, accounting, shared },
        phases: Phases { queue, start, compile, run, cold_start },
        diagnostic,
        state_lost,
        results_omitted,
        collected,
        changes,
    } = outcome;
    ReportRow {
        status: status.name().to_owned(),
        exit_code,
        signal,
        duration_us: micros(duration),
        stdout: stream_row(stdout, stdout_totals),
        stderr: stream_row(stderr, stderr_totals),
        results: results
            .into_iter()
            .map(Arc::unwrap_or_clone)
            .map(|RichResult { mime, stored, is_main_result }| {
                let stored = stored.into_iter().map(|(kind, file)| (kind, file.into())).collect();
                ResultRow { mime, stored, is_main_result }
            })
            .collect(),
        cpu_us: micros(cpu),
        peak_memory_bytes,
        processes,
        disk_bytes,
        accounting,
        shared,
        queue_us: micros(queue),
        start_us: micros(start),
        compile_us: compile.map(micros),
        run_us: micros(run),
        cold_start,
        diagnostic: diagnostic.map(|found| {
            let Diagnostic {
                kind,
                name,
                message,
                file,
                line,
                column,
                traceback,
                missing_module,
                retryable,
                hint,
            } = found;
            DiagnosticRow {
                kind,
                name,
                message,
                file,
                line,
                column,
                traceback,
                missing_module,
                retryable,
                hint,
            }
        }),
        state_lost,
        results_omitted,
        isolation,
        text,
        collected: collected.map(CollectedRow::from),
        changes: changes.map(ChangesRow::from),
    }
}

/// `None` when the row names a status that does not exist.
fn from_row(row: ReportRow) -> Option<Report> {
    let (stdout, stdout_totals) = from_stream_row(row.stdout);
    let (stderr, stderr_totals) = from_stream_row(row.stderr);
    let outcome = Outcome {
        status: Status::parse(&row.status)?,
        exit_code: row.exit_code,
        signal: row.signal,
        duration: Duration::from_micros(row.duration_us),
        stdout: stdout_totals,
        stderr: stderr_totals,
        usage: Usage {
            cpu: Duration::from_micros(row.cpu_us),
            peak_memory_bytes: row.peak_memory_bytes,
            processes: row.processes,
            disk_bytes: row.disk_bytes,
            accounting: row.accounting,
            shared: row.shared,
        },
        phases: Phases {
            queue: Duration::from_micros(row.queue_us),
            start: Duration::from_micros(row.start_us),
            compile: row.compile_us.map(Duration::from_micros),
            run: Duration::from_micros(row.run_us),
            cold_start: row.cold_start,
        },
        diagnostic: row.diagnostic.map(|found| Diagnostic {
            kind: found.kind,
            name: found.name,
            message: found.message,
            file: found.file,
            line: found.line,
            column: found.column,
            traceback: found.traceback,
            missing_module: found.missing_module,
            retryable: found.retryable,
            hint: found.hint,
        }),
        state_lost: row.state_lost,
        results_omitted: row.results_omitted,
        collected: optional(row.collected, CollectedRow::read)?,
        changes: optional(row.changes, ChangesRow::read)?,
    };
    let results = row
        .results
        .into_iter()
        .map(|ResultRow { mime, stored, is_main_result }| {
            let stored = stored.into_iter().map(|(kind, file)| (kind, file.read())).collect();
            Arc::new(RichResult { mime, stored, is_main_result })
        })
        .collect();
    Some(Report { outcome, stdout, stderr, results, text: row.text, isolation: row.isolation })
}

/// What `read` makes of what is there; `None` when it makes nothing of it.
fn optional<T, U>(row: Option<T>, read: impl FnOnce(T) -> Option<U>) -> Option<Option<U>> {
    match row {
        Some(row) => read(row).map(Some),
        None => Some(None),
    }
}

fn stream_row(captured: CapturedText, totals: StreamTotals) -> StreamRow {
    let CapturedText { text, replaced } = captured;
    let StreamTotals { bytes, truncated, stored } = totals;
    let stored =
        stored.map(|StoredOutput { bytes, until }| StoredRow { bytes, until_ms: until.millis() });
    StreamRow { text, replaced, bytes, truncated, stored }
}

fn from_stream_row(row: StreamRow) -> (CapturedText, StreamTotals) {
    let StreamRow { text, replaced, bytes, truncated, stored } = row;
    let stored = stored.map(|StoredRow { bytes, until_ms }| StoredOutput {
        bytes,
        until: Timestamp::from_millis(until_ms),
    });
    (CapturedText { text, replaced }, StreamTotals { bytes, truncated, stored })
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
