//! `POST /v1/code_interpreter/run`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::http::rest::fields::words;

use super::report::ReportBody;
use super::webhook::WebhookBody;
use crate::domain::field_error::{FieldError, FieldErrors};
use crate::domain::ids::{ExecutionId, SessionId};
use crate::domain::language::{LanguageName, Offer};
use crate::domain::report::Report;
use crate::domain::run::{
    MAX_ARGS, MAX_CODE, MAX_COMPILER_FLAG, MAX_COMPILER_FLAGS, MAX_FILES, RunRequest, RunRules,
};
use crate::domain::workspace::{WorkspaceFile, WorkspacePath};
use crate::http::extract::field_path;
use crate::http::rest::fields::content::Content;
use crate::http::rest::fields::limits::LimitsBody;
use crate::http::rest::fields::program::{
    args_schema, bounded, compiler_flags_schema, environment, environment_schema, language,
};
use crate::http::rest::fields::stdin::StdinBody;

/// Code to run.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "code": "print(sum(int(line) for line in open('data/in.csv')))", "language": "python",
    "timeout": 30, "files": {"data/in.csv": "1\n2\n"}, "limits": {"memory_bytes": 268435456}
}))]
pub struct RunBody {
    /// At most 1 MiB.
    #[schema(max_length = 1048576, pattern = "^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$")]
    pub code: String,
    /// A name or an alias of `/v1/languages`.
    pub language: String,
    /// Time limit in seconds; may have a fraction.
    #[schema(exclusive_minimum = 0)]
    pub timeout: Option<f64>,
    /// A session to run in; null or left out for a sandbox of its own.
    #[schema(pattern = "^ses_[A-Za-z0-9]{1,64}$")]
    pub session_id: Option<String>,
    /// Standard input: in full, or with `open` for more while it runs.
    pub stdin: Option<StdinBody>,
    /// Arguments of the program; at most 256.
    #[schema(schema_with = args_schema)]
    pub args: Option<Vec<String>>,
    /// Environment variables; at most 256.
    #[schema(schema_with = environment_schema)]
    pub env: Option<BTreeMap<String, String>>,
    /// Files to write first, by path in the workspace; at most 1000.
    #[schema(schema_with = files_schema)]
    pub files: Option<BTreeMap<String, Content>>,
    /// What the run may use.
    pub limits: Option<LimitsBody>,
    /// For compiled languages; `/v1/languages` lists those that each accepts.
    #[schema(schema_with = compiler_flags_schema)]
    pub compiler_flags: Option<Vec<String>>,
    /// True: it is answered at once with 202, and goes on without its caller.
    pub detached: Option<bool>,
    /// Posts the answer of a detached run.
    pub webhook: Option<WebhookBody>,
}

impl RunBody {
    /// Checks everything at once.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(
        self,
        rules: &RunRules,
        offer: Option<&Offer>,
    ) -> Result<RunRequest, Vec<FieldError>> {
        let Self {
            code,
            language,
            timeout,
            session_id,
            stdin,
            args,
            env,
            files,
            limits,
            compiler_flags,
            detached: _,
            webhook: _,
        } = self;
        let mut errors = FieldErrors::default();
        let language = self::language(&language, offer, &mut errors);
        let code = errors.keep("code", checked_code(code));
        let wall = errors.keep("timeout", checked_timeout(timeout, rules));
        let session = session_id.map(|text| {
            SessionId::parse(&text).ok_or("must be a session's id, which begins with ses_")
        });
        let session = errors.keep("session_id", session.transpose()).flatten();
        let (stdin, open_stdin) = stdin.map_or((None, false), |it| (it.content, it.open));
        let stdin = stdin.map(Content::into_bytes).transpose();
        let stdin = errors.keep("stdin", stdin).flatten().unwrap_or_default();
        let args = checked_args(args.unwrap_or_default(), &mut errors);
        let env = environment(env.unwrap_or_default(), &mut errors);
        let files = checked_files(files.unwrap_or_default(), &mut errors);
        let limits = limits.unwrap_or_default().parse(wall, &mut errors);
        let flags = checked_flags(compiler_flags.unwrap_or_default(), &mut errors);
        let run = code.zip(language).map(|(code, language)| RunRequest {
            session,
            language,
            code,
            stdin,
            open_stdin,
            args,
            env,
            files,
            limits,
            compiler_flags: flags,
        });
        errors.finish(run)
    }
}

fn files_schema() -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Object, Type::Null]))
        .description(Some("Files to write first, by path in the workspace."))
        .additional_properties(Some(Content::schema()))
        .max_properties(Some(MAX_FILES))
        .build()
}

fn checked_code(code: String) -> Result<String, String> {
    if code.trim().is_empty() {
        return Err("must not be empty".to_owned());
    }
    if code.len() > MAX_CODE {
        return Err(format!("must have at most {MAX_CODE} bytes"));
    }
    if code.contains('\0') {
        return Err("must not contain a NUL character".to_owned());
    }
    Ok(code)
}

fn checked_timeout(timeout: Option<f64>, rules: &RunRules) -> Result<Duration, String> {
    let Some(seconds) = timeout else {
        return Ok(rules.default_timeout);
    };
    let max = rules.max_timeout.as_secs_f64();
    if seconds > 0.0 && seconds <= max {
        // Rounded up to what the wire can carry: one millisecond.
        Ok(Duration::from_secs_f64(seconds).max(Duration::from_millis(1)))
    } else {
        Err(format!("must be above 0 and at most {max} seconds"))
    }
}

fn checked_args(args: Vec<String>, errors: &mut FieldErrors) -> Vec<String> {
    if args.len() > MAX_ARGS {
        errors.push("args", format!("must have at most {MAX_ARGS} arguments"));
        return Vec::new();
    }
    for (index, arg) in args.iter().enumerate() {
        bounded(&format!("args[{index}]"), arg, errors);
    }
    args
}

fn checked_files(files: BTreeMap<String, Content>, errors: &mut FieldErrors) -> Vec<WorkspaceFile> {
    if files.len() > MAX_FILES {
        errors.push("files", format!("must have at most {MAX_FILES} files"));
        return Vec::new();
    }
    let mut checked: BTreeMap<WorkspacePath, Vec<u8>> = BTreeMap::new();
    for (path, content) in files {
        let loc = field_path::of_key("files", &path);
        let path = errors.keep(loc.as_str(), WorkspacePath::parse(&path));
        let content = errors.keep(loc.as_str(), content.into_bytes());
        let Some((path, content)) = path.zip(content) else {
            continue;
        };
        if checked.insert(path, content).is_some() {
            errors.push(loc, "names the same file as another path");
        }
    }
    for path in checked.keys() {
        if let Some(file) = path.parents().find(|parent| checked.contains_key(*parent)) {
            let file = field_path::of_key("files", file);
            let msg = format!("cannot be below {file}, which is a file");
            errors.push(field_path::of_key("files", path.as_str()), msg);
        }
    }
    checked.into_iter().map(|(path, content)| WorkspaceFile { path, content }).collect()
}

fn checked_flags(flags: Vec<String>, errors: &mut FieldErrors) -> Vec<String> {
    if flags.len() > MAX_COMPILER_FLAGS {
        errors.push("compiler_flags", format!("must be at most {MAX_COMPILER_FLAGS}"));
    }
    for (index, flag) in flags.iter().enumerate() {
        if flag.is_empty() || flag.chars().count() > MAX_COMPILER_FLAG || flag.contains('\0') {
            errors.push(
                format!("compiler_flags[{index}]"),
                format!("must have 1 to {MAX_COMPILER_FLAG} characters and no NUL character"),
            );
        }
    }
    flags
}

/// What a run did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "execution_id": "exe_019b7f3c2d9a7d3b8a2f1c0e5d4b6a79", "session_id": null,
    "language": "python", "status": "succeeded", "output": "3\n", "stdout": "3\n", "stderr": "",
    "error": null, "exit_code": 0, "signal": null, "duration_ms": 3, "results": [],
    "diagnostic": null,
    "truncated": {
        "stdout": false, "stderr": false, "stdout_bytes": 2, "stderr_bytes": 0,
        "results": false, "results_omitted": 0
    },
    "encoding": {"stdout": "utf-8", "stderr": "utf-8"},
    "full_output": {"stdout": null, "stderr": null},
    "usage": {
        "cpu_ms": 2, "peak_memory_bytes": 9437184, "processes": 1, "disk_bytes": 0,
        "accounting": "enforced", "shared": false
    },
    "phases": {
        "queue_ms": 0, "start_ms": 0, "compile_ms": null, "run_ms": 2, "cold_start": false
    },
    "state_lost": false, "isolation": "full"
}))]
pub struct RunAnswer {
    /// For looking at it later.
    #[schema(example = "exe_019b7f3c2d9a7d3b8a2f1c0e5d4b6a79")]
    pub execution_id: String,
    /// The session it ran in, if in one.
    #[schema(required)]
    pub session_id: Option<String>,
    /// The language's own name, also when an alias was asked for.
    #[schema(example = "python")]
    pub language: String,
    /// succeeded, failed, compile_failed, timed_out, out_of_memory, output_limit_exceeded,
    /// disk_limit_exceeded, killed or cancelled.
    #[schema(schema_with = words::run_status)]
    pub status: &'static str,
    /// Everything else.
    #[serde(flatten)]
    pub report: ReportBody,
}

impl RunAnswer {
    /// From the domain.
    ///
    /// # Errors
    /// When the output is not JSON.
    pub fn of(
        id: &ExecutionId,
        session: Option<&SessionId>,
        language: &LanguageName,
        report: Report,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self {
            execution_id: id.to_string(),
            session_id: session.map(ToString::to_string),
            language: language.to_string(),
            status: report.outcome.status.name(),
            report: ReportBody::of(id, report)?,
        })
    }
}
