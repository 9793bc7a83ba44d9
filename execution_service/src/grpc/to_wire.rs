//! From our types to wire types.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proto::execution_v1 as wire;

use super::{artifacts, network_from_wire};
use crate::execution::event::{Event, RichResult};
use crate::execution::limits::{LimitRange, Limits};
use crate::execution::outcome::{Accounting, Outcome, Phases, Status};
use crate::execution::stream::{Stream, StreamTotals};
use crate::language::diagnostic::Diagnostic;
use crate::language::discovery::{Found, Missing};
use crate::language::toolchain::Toolchain;
use crate::language::{Approach, Language};
use crate::sandbox::isolation::{Isolation, Wall};
use crate::sandbox::spec::Usage;
use crate::session::{Context, ContextState, Session};
use crate::worker::Worker;

/// One event of the run `execution_id`.
pub fn event(event: Event, execution_id: &str) -> wire::ExecutionEvent {
    use wire::execution_event::Event as Wire;
    let event = match event {
        Event::Started => Wire::Started(wire::Started { execution_id: String::from(execution_id) }),
        Event::Output { stream, offset, data } => Wire::Output(output(stream, offset, data)),
        Event::Result(RichResult { mime, stored, is_main_result }) => {
            let mime = mime.into_iter().collect();
            let stored =
                stored.into_iter().map(|(kind, file)| (kind, artifacts::artifact(file))).collect();
            Wire::Result(wire::RichResult { mime, is_main_result, stored })
        }
        Event::Outcome(found) => Wire::Outcome(outcome(*found)),
    };
    wire::ExecutionEvent { event: Some(event) }
}

fn outcome(outcome: Outcome) -> wire::Outcome {
    let Outcome {
        status,
        exit_code,
        signal,
        duration,
        stdout,
        stderr,
        results_omitted,
        usage: used,
        shared,
        accounting,
        phases: times,
        diagnostic: found,
        state_lost,
        collected,
        changes,
    } = outcome;
    let status = match status {
        Status::Succeeded => wire::Status::Succeeded,
        Status::Failed => wire::Status::Failed,
        Status::CompileFailed => wire::Status::CompileFailed,
        Status::TimedOut => wire::Status::TimedOut,
        Status::OutOfMemory => wire::Status::OutOfMemory,
        Status::OutputLimitExceeded => wire::Status::OutputLimitExceeded,
        Status::DiskLimitExceeded => wire::Status::DiskLimitExceeded,
        Status::Killed => wire::Status::Killed,
        Status::Cancelled => wire::Status::Cancelled,
    };
    wire::Outcome {
        status: i32::from(status),
        exit_code,
        signal,
        duration_us: micros(duration),
        stdout: Some(totals(stdout)),
        stderr: Some(totals(stderr)),
        usage: Some(usage(used, accounting, shared)),
        phases: Some(phases(times)),
        diagnostic: found.map(diagnostic),
        state_lost,
        results_omitted,
        collected: collected.map(artifacts::collected),
        changes: changes.map(artifacts::changes),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Microseconds.
pub fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn totals(StreamTotals { bytes, truncated, stored }: StreamTotals) -> wire::StreamTotals {
    wire::StreamTotals {
        bytes,
        truncated,
        stored: stored.is_some(),
        stored_bytes: stored.map_or(0, |stored| stored.bytes),
        stored_until_ms: stored.map_or(0, |stored| unix_millis(stored.until)),
    }
}

/// Milliseconds since 1970.
pub fn unix_millis(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn usage(usage: Usage, accounting: Accounting, shared: bool) -> wire::Usage {
    let accounting = match accounting {
        Accounting::Enforced => "enforced",
        Accounting::BestEffort => "best_effort",
    };
    wire::Usage {
        cpu_us: micros(usage.cpu),
        peak_memory_bytes: usage.peak_memory_bytes,
        processes: usage.peak_processes,
        disk_bytes: usage.disk_bytes,
        accounting: String::from(accounting),
        shared,
    }
}

fn phases(phases: Phases) -> wire::Phases {
    let Phases { queue, start, compile, run, cold_start } = phases;
    wire::Phases {
        queue_us: micros(queue),
        start_us: micros(start),
        compile_us: compile.map(micros),
        run_us: micros(run),
        cold_start,
    }
}

fn diagnostic(diagnostic: Diagnostic) -> wire::Diagnostic {
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
        errno: _,
    } = diagnostic;
    wire::Diagnostic {
        kind: String::from(kind.name()),
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

/// A session as callers see it.
pub fn session(worker: &Worker, session: &Session) -> wire::Session {
    let idle = worker.sessions.idle_of(session).as_secs();
    wire::Session {
        session_id: session.id.clone(),
        created_at_ms: unix_millis(session.deadline.created()),
        expires_at_ms: unix_millis(session.deadline.expires()),
        busy: session.is_busy(),
        contexts: session.contexts.all().iter().map(|one| context(one)).collect(),
        processes: u32::try_from(session.processes.count()).unwrap_or(u32::MAX),
        paused: session.membership.is_paused(),
        auto_resume: session.auto_resume,
        idle_seconds: u32::try_from(idle).unwrap_or(u32::MAX),
        limits: Some(limits(session.limits)),
        usage: None,
        network: session.network.get().map(|way_out| network_from_wire::told(&way_out.policy())),
    }
}

/// What a session has used so far.
pub fn session_usage(usage: Usage) -> wire::SessionUsage {
    let Usage { cpu, memory_bytes, disk_bytes, .. } = usage;
    wire::SessionUsage { cpu_us: micros(cpu), memory_bytes, disk_bytes }
}

/// A context as callers see it.
pub fn context(context: &Context) -> wire::Context {
    let state = context.state();
    wire::Context {
        context_id: context.id.clone(),
        language: String::from(context.language.name()),
        busy: state == ContextState::Busy,
        state: i32::from(match state {
            ContextState::New => wire::ContextState::New,
            ContextState::Idle => wire::ContextState::Idle,
            ContextState::Busy => wire::ContextState::Busy,
            ContextState::Lost => wire::ContextState::Lost,
        }),
        working_directory: context.directory.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}

/// Some of what was written to a stream.
pub fn output(stream: Stream, offset: u64, data: Vec<u8>) -> wire::Output {
    let stream = match stream {
        Stream::Stdout => wire::Stream::Stdout,
        Stream::Stderr => wire::Stream::Stderr,
    };
    wire::Output { stream: i32::from(stream), offset, data: data.into() }
}

/// What this worker really is.
pub fn capabilities(worker: &Worker) -> wire::Capabilities {
    let toolchains = worker.toolchains();
    let found = &toolchains.found;
    wire::Capabilities {
        instance_id: worker.instance_id.clone(),
        version: String::from(env!("CARGO_PKG_VERSION")),
        languages: found.iter().map(|it| language_info(it, worker.settings.compile_wall)).collect(),
        missing_languages: toolchains.missing.iter().map(missing_language).collect(),
        isolation: Some(isolation(&worker.isolation)),
        limits: Some(limit_range(worker.range)),
    }
}

fn language_info(found: &Found, compile_wall: Duration) -> wire::LanguageInfo {
    let Found { language: which, toolchain } = found;
    let Toolchain { executable, version, roots: _, environment: _, packages, features } = toolchain;
    let (compile_ms, compiler_flags) = match which.approach() {
        Approach::Kernel(_) => (None, Vec::new()),
        Approach::Compiled(compiled) => (Some(millis(compile_wall)), compiled.flags().shown()),
    };
    wire::LanguageInfo {
        name: String::from(which.name()),
        aliases: aliases(*which),
        version: version.clone(),
        executable: executable.display().to_string(),
        packages: packages.clone().into_iter().collect(),
        features: features.clone(),
        compile_ms,
        compiler_flags,
    }
}

fn aliases(language: Language) -> Vec<String> {
    language.aliases().iter().map(|alias| String::from(*alias)).collect()
}

fn missing_language(missing: &Missing) -> wire::MissingLanguage {
    let Missing { language: which, named: _, reason, remedy } = missing;
    wire::MissingLanguage {
        name: String::from(which.name()),
        aliases: aliases(*which),
        reason: reason.clone(),
        remedy: remedy.clone(),
    }
}

fn isolation(isolation: &Isolation) -> wire::Isolation {
    let wall = |Wall { name, state, need: _, tried: _, seen, remedy }: &Wall| wire::Wall {
        name: String::from(*name),
        state: String::from(state.name()),
        detail: seen.clone(),
        remedy: remedy.clone(),
    };
    wire::Isolation {
        level: String::from(isolation.level().name()),
        walls: isolation.walls.iter().map(wall).collect(),
    }
}

fn limit_range(LimitRange { defaults, maxima }: LimitRange) -> wire::LimitRange {
    wire::LimitRange { defaults: Some(limits(defaults)), maxima: Some(limits(maxima)) }
}

fn limits(Limits { wall, cpu, output_bytes, sandbox }: Limits) -> wire::Limits {
    wire::Limits {
        wall_ms: Some(millis(wall)),
        cpu_ms: Some(millis(cpu)),
        memory_bytes: Some(sandbox.memory_bytes),
        processes: Some(sandbox.processes),
        disk_bytes: Some(sandbox.disk_bytes),
        inodes: Some(sandbox.inodes),
        output_bytes: Some(output_bytes),
        open_files: Some(sandbox.open_files),
    }
}
