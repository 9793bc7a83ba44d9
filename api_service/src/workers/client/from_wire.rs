//! From the wire to the domain. What the contract does not allow is an error here, once.

use std::sync::Arc;
use std::time::Duration;

use proto::execution_v1 as wire;
use proto::execution_v1::execution_event::Event as WireEvent;

use super::Error;
use super::artifacts_from_wire::{self, artifact};
use crate::domain::capabilities::{Capabilities, LanguageInfo, MissingLanguage, Wall};
use crate::domain::event::{Event, OutputStream};
use crate::domain::language::LanguageName;
use crate::domain::limits::Limits;
use crate::domain::report::{
    Diagnostic, Outcome, Phases, RichResult, Status, StoredOutput, StreamTotals, Usage,
};
use crate::domain::timestamp::Timestamp;

pub(super) fn event(event: wire::ExecutionEvent) -> Result<Event, Error> {
    match event.event.ok_or(Error::Malformed("an event without content"))? {
        WireEvent::Started(wire::Started { execution_id: _ }) => Ok(Event::Started),
        WireEvent::Output(wire::Output { stream, offset, data }) => {
            Ok(Event::Output { stream: output_stream(stream)?, offset, data })
        }
        WireEvent::Result(wire::RichResult { mime, is_main_result, stored }) => {
            let mime = mime.into_iter().collect();
            let stored = stored.into_iter().map(|(kind, file)| (kind, artifact(file))).collect();
            Ok(Event::Result(Arc::new(RichResult { mime, stored, is_main_result })))
        }
        WireEvent::Outcome(outcome) => self::outcome(outcome).map(Box::new).map(Event::Outcome),
    }
}

pub(super) fn output_stream(stream: i32) -> Result<OutputStream, Error> {
    match wire::Stream::try_from(stream) {
        Ok(wire::Stream::Stdout) => Ok(OutputStream::Stdout),
        Ok(wire::Stream::Stderr) => Ok(OutputStream::Stderr),
        Ok(wire::Stream::Unspecified) | Err(_) => Err(Error::Malformed("output of no stream")),
    }
}

fn outcome(outcome: wire::Outcome) -> Result<Outcome, Error> {
    let wire::Outcome {
        status,
        exit_code,
        signal,
        duration_us,
        stdout,
        stderr,
        usage,
        phases,
        diagnostic,
        state_lost,
        results_omitted,
        collected,
        changes,
    } = outcome;
    Ok(Outcome {
        status: self::status(status)?,
        exit_code,
        signal,
        duration: Duration::from_micros(duration_us),
        stdout: totals(stdout),
        stderr: totals(stderr),
        usage: self::usage(usage.unwrap_or_default()),
        phases: self::phases(phases.unwrap_or_default()),
        diagnostic: diagnostic.map(self::diagnostic),
        state_lost,
        results_omitted,
        collected: collected.map(artifacts_from_wire::collected).transpose()?,
        changes: changes.map(artifacts_from_wire::changes).transpose()?,
    })
}

fn status(status: i32) -> Result<Status, Error> {
    match wire::Status::try_from(status) {
        Ok(wire::Status::Succeeded) => Ok(Status::Succeeded),
        Ok(wire::Status::Failed) => Ok(Status::Failed),
        Ok(wire::Status::CompileFailed) => Ok(Status::CompileFailed),
        Ok(wire::Status::TimedOut) => Ok(Status::TimedOut),
        Ok(wire::Status::OutOfMemory) => Ok(Status::OutOfMemory),
        Ok(wire::Status::OutputLimitExceeded) => Ok(Status::OutputLimitExceeded),
        Ok(wire::Status::DiskLimitExceeded) => Ok(Status::DiskLimitExceeded),
        Ok(wire::Status::Killed) => Ok(Status::Killed),
        Ok(wire::Status::Cancelled) => Ok(Status::Cancelled),
        Ok(wire::Status::Unspecified) | Err(_) => Err(Error::Malformed("an unknown status")),
    }
}

fn totals(totals: Option<wire::StreamTotals>) -> StreamTotals {
    let wire::StreamTotals { bytes, truncated, stored, stored_bytes, stored_until_ms } =
        totals.unwrap_or_default();
    let stored = stored.then(|| StoredOutput {
        bytes: stored_bytes,
        until: Timestamp::from_millis(stored_until_ms),
    });
    StreamTotals { bytes, truncated, stored }
}

fn usage(usage: wire::Usage) -> Usage {
    let wire::Usage { cpu_us, peak_memory_bytes, processes, disk_bytes, accounting, shared } =
        usage;
    Usage {
        cpu: Duration::from_micros(cpu_us),
        peak_memory_bytes,
        processes,
        disk_bytes,
        accounting,
        shared,
    }
}

fn phases(phases: wire::Phases) -> Phases {
    let wire::Phases { queue_us, start_us, compile_us, run_us, cold_start } = phases;
    Phases {
        queue: Duration::from_micros(queue_us),
        start: Duration::from_micros(start_us),
        compile: compile_us.map(Duration::from_micros),
        run: Duration::from_micros(run_us),
        cold_start,
    }
}

fn diagnostic(found: wire::Diagnostic) -> Diagnostic {
    let wire::Diagnostic {
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
    Diagnostic {
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
}

pub(super) fn capabilities(capabilities: wire::Capabilities) -> Result<Capabilities, Error> {
    let wire::Capabilities {
        instance_id,
        version: _,
        languages,
        missing_languages,
        isolation,
        limits,
    } = capabilities;
    let wire::Isolation { level, walls } =
        isolation.ok_or(Error::Malformed("capabilities without isolation"))?;
    let wire::LimitRange { defaults, maxima } = limits.unwrap_or_default();
    Ok(Capabilities {
        instance_id,
        languages: languages.into_iter().map(language_info).collect::<Result<_, _>>()?,
        missing: missing_languages.into_iter().map(missing).collect::<Result<_, _>>()?,
        isolation: level,
        walls: walls.into_iter().map(wall).collect(),
        default_limits: self::limits(defaults.unwrap_or_default()),
        max_limits: self::limits(maxima.unwrap_or_default()),
    })
}

fn language_info(info: wire::LanguageInfo) -> Result<LanguageInfo, Error> {
    // Where things lie on the worker's machine is nobody else's business.
    let wire::LanguageInfo {
        name,
        aliases,
        version,
        executable: _,
        packages,
        features,
        compile_ms,
        compiler_flags,
    } = info;
    Ok(LanguageInfo {
        name: language_name(&name)?,
        aliases: self::aliases(&aliases)?,
        version,
        packages: packages.into_iter().collect(),
        features,
        compile: Duration::from_millis(compile_ms.unwrap_or_default()),
        compiler_flags,
    })
}

fn missing(missing: wire::MissingLanguage) -> Result<MissingLanguage, Error> {
    let wire::MissingLanguage { name, aliases, reason, remedy } = missing;
    Ok(MissingLanguage {
        name: language_name(&name)?,
        aliases: self::aliases(&aliases)?,
        reason,
        remedy,
    })
}

fn language_name(name: &str) -> Result<LanguageName, Error> {
    LanguageName::parse(name).ok_or(Error::Malformed("a language's name"))
}

fn aliases(names: &[String]) -> Result<Vec<LanguageName>, Error> {
    names.iter().map(|name| language_name(name)).collect()
}

fn wall(wall: wire::Wall) -> Wall {
    let wire::Wall { name, state, detail, remedy } = wall;
    Wall { name, state, detail, remedy }
}

pub(super) fn limits(limits: wire::Limits) -> Limits {
    let wire::Limits {
        wall_ms,
        cpu_ms,
        memory_bytes,
        processes,
        disk_bytes,
        inodes,
        output_bytes,
        open_files,
    } = limits;
    Limits {
        wall: wall_ms.map(Duration::from_millis),
        cpu: cpu_ms.map(Duration::from_millis),
        memory_bytes,
        processes,
        disk_bytes,
        inodes,
        output_bytes,
        open_files,
    }
}
