//! From the domain to the wire.

use std::time::Duration;

use proto::execution_v1 as wire;

use super::network;
use crate::domain::context::NewContext;
use crate::domain::event::OutputStream;
use crate::domain::ids::{ContextId, ExecutionId, SessionId, UserId};
use crate::domain::language::LanguageName;
use crate::domain::limits::Limits;
use crate::domain::run::RunRequest;
use crate::domain::session::NewSession;
use crate::domain::wishes::{LargeResults, Wishes};
use crate::domain::workspace::{WorkspaceFile, WorkspacePath};

pub(super) fn execute(id: &ExecutionId, owner: &UserId, run: &RunRequest) -> wire::ExecuteRequest {
    let RunRequest {
        session,
        context,
        language,
        code,
        stdin,
        open_stdin,
        args,
        env,
        files,
        limits,
        compiler_flags,
        network,
        wishes: Wishes { for_model: _, form: _, collect, large_results },
    } = run;
    wire::ExecuteRequest {
        execution_id: id.as_str().to_owned(),
        owner: owner.as_str().to_owned(),
        session_id: session.as_ref().map_or_else(String::new, |id| id.as_str().to_owned()),
        context_id: context.as_ref().map_or_else(String::new, |id| id.as_str().to_owned()),
        language: name(language.as_ref()),
        code: code.clone(),
        stdin: stdin.clone().into(),
        args: args.clone(),
        env: env.clone().into_iter().collect(),
        files: files.iter().map(file).collect(),
        limits: Some(self::limits(limits)),
        compiler_flags: compiler_flags.clone(),
        open_stdin: *open_stdin,
        collect: collect.clone(),
        store_large_results: *large_results == LargeResults::Url,
        report_changes: session.is_some(),
        network: network.as_ref().map(network::to_wire),
    }
}

pub(super) fn create_session(
    id: &SessionId,
    owner: &UserId,
    new: &NewSession,
) -> wire::CreateSessionRequest {
    // The note is the gateway's; a worker has no use for it.
    let NewSession { language, ttl, idle, auto_resume, files, env, limits, metadata: _, network } =
        new;
    wire::CreateSessionRequest {
        session_id: id.as_str().to_owned(),
        owner: owner.as_str().to_owned(),
        language: name(language.as_ref()),
        ttl_seconds: seconds(*ttl),
        idle_seconds: idle.map_or(0, seconds),
        auto_resume: *auto_resume,
        files: files.iter().map(file).collect(),
        env: env.clone().into_iter().collect(),
        limits: Some(self::limits(limits)),
        network: network.as_ref().map(network::to_wire),
    }
}

pub(super) fn create_context(
    (session, owner): (&SessionId, &UserId),
    id: &ContextId,
    new: &NewContext,
) -> wire::CreateContextRequest {
    let NewContext { language, directory, env } = new;
    wire::CreateContextRequest {
        session_id: session.as_str().to_owned(),
        owner: owner.as_str().to_owned(),
        context_id: id.as_str().to_owned(),
        language: language.as_str().to_owned(),
        env: env.clone().into_iter().collect(),
        working_directory: directory.as_ref().map_or("", WorkspacePath::as_str).to_owned(),
    }
}

/// Empty for none.
fn name(language: Option<&LanguageName>) -> String {
    language.map_or_else(String::new, |language| language.as_str().to_owned())
}

pub(super) fn seconds(span: Duration) -> u32 {
    u32::try_from(span.as_secs()).unwrap_or(u32::MAX)
}

pub(super) fn stream(stream: OutputStream) -> wire::Stream {
    match stream {
        OutputStream::Stdout => wire::Stream::Stdout,
        OutputStream::Stderr => wire::Stream::Stderr,
    }
}

fn file(file: &WorkspaceFile) -> wire::File {
    let WorkspaceFile { path, content } = file;
    wire::File { path: path.as_str().to_owned(), content: content.clone().into() }
}

fn limits(limits: &Limits) -> wire::Limits {
    let Limits { wall, cpu, memory_bytes, processes, disk_bytes, inodes, output_bytes, open_files } =
        limits;
    wire::Limits {
        wall_ms: wall.map(millis),
        cpu_ms: cpu.map(millis),
        memory_bytes: *memory_bytes,
        processes: *processes,
        disk_bytes: *disk_bytes,
        inodes: *inodes,
        output_bytes: *output_bytes,
        open_files: *open_files,
    }
}

/// At least one: a limit of zero would mean none.
fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX).max(1)
}
