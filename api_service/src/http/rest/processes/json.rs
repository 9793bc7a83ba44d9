//! `…/sessions/{id}/processes`.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::ids::SessionId;
use crate::domain::process::{Process, ProcessStatus};
use crate::domain::process_output::ProcessOutput;
use crate::http::rest::fields::{timestamp, words};

/// A process of a session.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "process_id": 17, "session_id": "ses_019b7f3c2d9a7d3b8a2f1c0e5d4b6a79",
    "command": ["bash", "-c", "make -j2"], "tag": null, "status": "exited", "exit_code": 0,
    "signal": null, "started_at": "2026-01-31T12:00:00Z", "ended_at": "2026-01-31T12:00:01Z",
    "terminal": false, "stdin_open": false, "stdout_bytes": 120, "stderr_bytes": 0,
    "cpu_ms": 950, "peak_memory_bytes": 9437184
}))]
pub struct ProcessAnswer {
    /// Its number in the session. It may come to mean another process some time after this one has ended.
    pub process_id: u32,
    /// The session it runs in.
    #[schema(example = "ses_019b7f3c2d9a7d3b8a2f1c0e5d4b6a79")]
    pub session_id: String,
    /// The beginning of its command: 1024 bytes at most.
    pub command: Vec<String>,
    /// What it was called when it was started.
    #[schema(required)]
    pub tag: Option<String>,
    /// running, exited, killed, timed_out or session_ended.
    #[schema(schema_with = words::process_status)]
    pub status: &'static str,
    /// Null while it runs, and when a signal ended it.
    #[schema(required)]
    pub exit_code: Option<i32>,
    /// The name of the signal that ended it.
    #[schema(required, example = "SIGTERM")]
    pub signal: Option<String>,
    /// When it was started.
    #[schema(format = DateTime)]
    pub started_at: String,
    /// When it ended.
    #[schema(required, format = DateTime)]
    pub ended_at: Option<String>,
    /// Whether it has a terminal.
    pub terminal: bool,
    /// Whether it can be sent something.
    pub stdin_open: bool,
    /// All that it wrote to standard output, or showed on its terminal.
    pub stdout_bytes: u64,
    /// All that it wrote to standard error.
    pub stderr_bytes: u64,
    /// Processor time of the process and the children that it waited for; null while it runs.
    #[schema(required)]
    pub cpu_ms: Option<u64>,
    /// Largest resident memory of one of them; null while it runs.
    #[schema(required)]
    pub peak_memory_bytes: Option<u64>,
}

/// Processes of a session.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProcessesAnswer {
    /// Those that have ended lately, and those that run.
    pub data: Vec<ProcessAnswer>,
}

/// A process that was waited for, with what it wrote.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProcessResult {
    /// What it was and how it ended.
    #[serde(flatten)]
    pub process: ProcessAnswer,
    /// What it wrote to standard output, or showed on its terminal. Of more than 1 MiB, head and tail.
    pub stdout: String,
    /// What it wrote to standard error. Of more than 1 MiB, head and tail.
    pub stderr: String,
    /// Whether that is all.
    pub truncated: OutputTruncated,
    /// Whether it was text.
    pub encoding: OutputEncoding,
    /// How long it ran.
    pub duration_ms: u64,
}

/// Whether a part of an output is left out.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutputTruncated {
    /// Of standard output.
    pub stdout: bool,
    /// Of standard error.
    pub stderr: bool,
}

/// Whether outputs were text.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutputEncoding {
    /// Of standard output.
    #[schema(schema_with = words::encoding)]
    pub stdout: &'static str,
    /// Of standard error.
    #[schema(schema_with = words::encoding)]
    pub stderr: &'static str,
}

impl ProcessAnswer {
    /// From the domain.
    pub fn of(session: &SessionId, process: Process) -> Self {
        let status = ProcessStatus::of(process.end.as_ref()).name();
        let Process { id, command, tag, started_at, has_terminal, stdin_open, end, .. } = process;
        let millis =
            |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            process_id: id.0,
            session_id: session.to_string(),
            command,
            tag: Some(tag).filter(|tag| !tag.is_empty()),
            status,
            exit_code: end.as_ref().and_then(|end| end.exit_code),
            signal: end.as_ref().and_then(|end| end.signal.clone()),
            started_at: timestamp::write(started_at),
            ended_at: end.as_ref().map(|end| timestamp::write(end.at)),
            terminal: has_terminal,
            stdin_open,
            stdout_bytes: process.stdout_bytes,
            stderr_bytes: process.stderr_bytes,
            cpu_ms: end.as_ref().map(|end| millis(end.cpu)),
            peak_memory_bytes: end.as_ref().map(|end| end.peak_memory_bytes),
        }
    }
}

impl ProcessResult {
    /// Of a process that has ended.
    pub fn of(
        session: &SessionId,
        process: Process,
        stdout: ProcessOutput,
        stderr: ProcessOutput,
    ) -> Self {
        let ended = process.end.as_ref().map_or(process.started_at, |end| end.at);
        let duration_ms = ended.millis().saturating_sub(process.started_at.millis());
        let (out, out_cut) = stdout.finish(process.stdout_bytes);
        let (err, err_cut) = stderr.finish(process.stderr_bytes);
        let encoding = |replaced: bool| if replaced { "replaced" } else { "utf-8" };
        Self {
            process: ProcessAnswer::of(session, process),
            encoding: OutputEncoding {
                stdout: encoding(out.replaced),
                stderr: encoding(err.replaced),
            },
            stdout: out.text,
            stderr: err.text,
            truncated: OutputTruncated { stdout: out_cut, stderr: err_cut },
            duration_ms: u64::try_from(duration_ms).unwrap_or_default(),
        }
    }
}
