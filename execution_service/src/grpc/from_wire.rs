//! From wire types to ours. The gateway has checked all of this already; a worker that others call
//! too checks again.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::time::Duration;

use proto::execution_v1 as wire;
use proto::wire::LARGE_RESULT_BYTES;
use tonic::Status;

use super::status::invalid;
use super::{artifacts, network_from_wire};
use crate::execution::input::Input;
use crate::execution::limits::RequestedLimits;
use crate::execution::request::Request;
use crate::execution::stream::Stream;
use crate::language::Language;
use crate::sandbox::workspace::{WorkspaceFile, WorkspacePath};
use crate::worker::Target;

const MAX_ID: usize = 128;
const MAX_CODE: usize = 4 << 20;
const MAX_ARGS: usize = 1024;
const MAX_ENV: usize = 1024;
const MAX_FILES: usize = 10_000;
/// Arguments and variables together: execve takes 2 MiB in all, and one string of 128 KiB.
const MAX_STRINGS: usize = 1 << 20;
const MAX_STRING: usize = 128 << 10;

/// A run, and the session and context that it is meant for.
pub fn request(message: wire::ExecuteRequest) -> Result<(Request, Option<Target>), Status> {
    let wire::ExecuteRequest {
        execution_id,
        owner,
        session_id,
        language: language_name,
        context_id,
        code,
        stdin,
        args,
        env,
        files,
        limits,
        compiler_flags,
        open_stdin,
        collect,
        store_large_results,
        report_changes,
        network,
    } = message;
    if code.len() > MAX_CODE {
        return Err(invalid("code", "is too long"));
    }
    if code.contains('\0') {
        return Err(invalid("code", "must not contain a NUL character"));
    }
    let (stdin, input) =
        if open_stdin { (Vec::new(), Some(Input::new(stdin))) } else { (stdin.into(), None) };
    let request = Request {
        id: id("execution_id", execution_id)?,
        owner: id("owner", owner)?,
        language: language(&language_name)?,
        code,
        stdin,
        input,
        args: arguments("args", args)?,
        env: environment(env)?,
        files: self::files(files)?,
        network: network.map(network_from_wire::policy).transpose()?,
        limits: requested_limits(limits.unwrap_or_default()),
        compiler_flags: arguments("compiler_flags", compiler_flags)?,
        collect: artifacts::patterns(&collect)?,
        large_results: store_large_results.then_some(LARGE_RESULT_BYTES),
        report_changes,
    };
    let context = if context_id.is_empty() { context_id } else { id("context_id", context_id)? };
    let target = match session_id.as_str() {
        "" => None,
        _ => Some(Target { session: id("session_id", session_id)?, context }),
    };
    Ok((request, target))
}

/// A path below the workspace; `None` for the workspace itself.
pub fn path(field: &str, text: &str) -> Result<Option<WorkspacePath>, Status> {
    match text {
        "" | "." => Ok(None),
        text => match WorkspacePath::parse(text) {
            Ok(path) => Ok(Some(path)),
            Err(error) => Err(invalid(field, &error.to_string())),
        },
    }
}

/// A name that somebody else made: printable, and not too long.
pub fn id(field: &str, text: String) -> Result<String, Status> {
    let printable = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.@:".contains(&byte);
    if text.is_empty() || text.len() > MAX_ID || !text.bytes().all(printable) {
        let message = format!("must be 1 to {MAX_ID} letters, digits, '_', '-', '.', '@', ':'");
        return Err(invalid(field, &message));
    }
    Ok(text)
}

/// One of the two output streams.
pub fn stream(number: i32) -> Result<Stream, Status> {
    match wire::Stream::try_from(number) {
        Ok(wire::Stream::Stdout) => Ok(Stream::Stdout),
        Ok(wire::Stream::Stderr) => Ok(Stream::Stderr),
        Ok(wire::Stream::Unspecified) | Err(_) => Err(invalid("stream", "is unknown")),
    }
}

/// A language that this worker knows of.
pub fn language(name: &str) -> Result<Language, Status> {
    Language::find(name).ok_or_else(|| invalid("language", "is unknown"))
}

/// Arguments of a program.
pub fn arguments(field: &str, list: Vec<String>) -> Result<Vec<String>, Status> {
    let total: usize = list.iter().map(String::len).sum();
    if list.len() > MAX_ARGS || total > MAX_STRINGS || list.iter().any(|one| one.len() > MAX_STRING)
    {
        return Err(invalid(field, "are too many or too long"));
    }
    if list.iter().any(|one| one.contains('\0')) {
        return Err(invalid(field, "must not contain a NUL character"));
    }
    Ok(list)
}

/// Variables of an environment.
pub fn environment(map: HashMap<String, String>) -> Result<BTreeMap<String, String>, Status> {
    let total: usize = map.iter().map(|(name, value)| name.len() + value.len()).sum();
    if map.len() > MAX_ENV || total > MAX_STRINGS {
        return Err(invalid("env", "is too large"));
    }
    for (name, value) in &map {
        let first = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
        let rest = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !first || !rest {
            return Err(invalid("env", &format!("{name:?} is no name of a variable")));
        }
        if value.contains('\0') || value.len() > MAX_STRING {
            return Err(invalid(&format!("env.{name}"), "has a NUL character or is too long"));
        }
    }
    Ok(map.into_iter().collect())
}

/// Files to put into a workspace.
pub fn files(files: Vec<wire::File>) -> Result<Vec<WorkspaceFile>, Status> {
    if files.len() > MAX_FILES {
        return Err(invalid("files", "are too many"));
    }
    files.into_iter().map(file).collect()
}

fn file(wire::File { path, content }: wire::File) -> Result<WorkspaceFile, Status> {
    match WorkspacePath::parse(&path) {
        Ok(path) => Ok(WorkspaceFile { path, content: content.into() }),
        Err(error) => Err(invalid(&format!("files.{path}"), &error.to_string())),
    }
}

/// Limits that somebody wishes for.
pub fn requested_limits(limits: wire::Limits) -> RequestedLimits {
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
    RequestedLimits {
        wall: wall_ms.map(Duration::from_millis),
        cpu: cpu_ms.map(Duration::from_millis),
        output_bytes,
        memory_bytes,
        processes,
        disk_bytes,
        inodes,
        open_files,
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::{hash_map, vec};
    use proptest::prelude::*;

    use super::*;

    /// Often what is asked for, and often not.
    fn name() -> impl Strategy<Value = String> {
        prop_oneof!["[a-zA-Z0-9_.@:-]{0,130}", "[A-Z_]{1,8}", ".*"]
    }

    fn limits() -> impl Strategy<Value = wire::Limits> {
        (any::<[Option<u64>; 6]>(), any::<[Option<u32>; 2]>()).prop_map(|(wide, narrow)| {
            let [wall_ms, cpu_ms, memory_bytes, disk_bytes, inodes, output_bytes] = wide;
            let [processes, open_files] = narrow;
            wire::Limits {
                wall_ms,
                cpu_ms,
                memory_bytes,
                processes,
                disk_bytes,
                inodes,
                output_bytes,
                open_files,
            }
        })
    }

    fn message() -> impl Strategy<Value = wire::ExecuteRequest> {
        let file = (name(), vec(any::<u8>(), 0..20))
            .prop_map(|(path, content)| wire::File { path, content: content.into() });
        let names = [name().boxed(), "[a-z]{1,5}".boxed(), "[a-z]{1,5}".boxed()];
        let languages = prop_oneof!["python|node|bash|c", ".*"];
        let small = (names, languages, ".*", vec(any::<u8>(), 0..20));
        let large = (
            vec(name(), 0..5),
            hash_map(name(), ".*", 0..4),
            vec(file, 0..4),
            proptest::option::of(limits()),
            (vec(".*", 0..3), vec("[*?a/.\\[]{0,9}|.*", 0..3)),
        );
        (small, large).prop_map(|((names, language, code, stdin), large)| {
            let [session_id, owner, execution_id] = names;
            let (args, env, files, limits, (compiler_flags, collect)) = large;
            wire::ExecuteRequest {
                execution_id,
                owner,
                session_id,
                context_id: String::new(),
                language,
                code,
                stdin: stdin.into(),
                args,
                env,
                files,
                limits,
                compiler_flags,
                open_stdin: false,
                collect,
                ..wire::ExecuteRequest::default()
            }
        })
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_within_bounds(message in message()) {
            let sent = message.clone();
            let (request, target) = match request(message) {
                Ok(accepted) => accepted,
                Err(refused) => {
                    prop_assert_eq!(refused.code(), tonic::Code::InvalidArgument);
                    prop_assert!(refused.message().len() <= 1024);
                    return Ok(());
                }
            };
            let plain = |text: &str| !text.is_empty() && text.len() <= MAX_ID && text.is_ascii();
            prop_assert!(plain(&request.id) && plain(&request.owner));
            prop_assert!(target.is_none_or(|target| plain(&target.session)));
            let texts = request.args.iter().chain(request.env.values()).chain([&request.code]);
            prop_assert!(texts.into_iter().all(|text| !text.contains('\0')));
            let named = |name: &String| {
                !name.is_empty() && name.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric())
            };
            prop_assert!(request.env.keys().all(named));
            prop_assert_eq!(request.files.len(), sent.files.len());
            prop_assert_eq!((request.args, request.code), (sent.args, sent.code));
        }
    }

    #[test]
    fn what_an_answer_quotes_is_short() {
        let long = "x".repeat(1 << 20);
        let file = wire::File { path: format!("/{long}"), ..wire::File::default() };
        let by_path = wire::ExecuteRequest {
            execution_id: String::from("e"),
            owner: String::from("o"),
            language: String::from("bash"),
            files: vec![file],
            ..wire::ExecuteRequest::default()
        };
        let env = HashMap::from([(format!("={}", &long[..MAX_STRINGS - 1]), String::new())]);
        let by_name = wire::ExecuteRequest { env, files: Vec::new(), ..by_path.clone() };
        for message in [by_path, by_name] {
            let refused = request(message).map(drop).expect_err("it is wrong");
            let headers: usize =
                refused.metadata().iter().map(|pair| format!("{pair:?}").len()).sum();
            assert!(refused.message().len() + headers < 4096);
        }
    }
}
