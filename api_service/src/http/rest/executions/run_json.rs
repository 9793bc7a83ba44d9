//! What `POST /v1/code_interpreter/run` takes.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use utoipa::ToSchema;

use super::webhook::WebhookBody;
use super::wishes_json;
use crate::domain::field_error::{FieldError, FieldErrors};
use crate::domain::ids::{ContextId, SessionId};
use crate::domain::language::Offer;
use crate::domain::run::{
    MAX_ARGS, MAX_CODE, MAX_COMPILER_FLAG, MAX_COMPILER_FLAGS, RunRequest, RunRules,
};
use crate::http::rest::fields::content::Content;
use crate::http::rest::fields::files::{files, files_schema};
use crate::http::rest::fields::integer;
use crate::http::rest::fields::limits::LimitsBody;
use crate::http::rest::fields::program::{
    args_schema, bounded, compiler_flags_schema, environment, environment_schema, language,
};
use crate::http::rest::fields::stdin::StdinBody;
use crate::http::rest::network::json::NetworkBody;

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
    /// A name or an alias of `/v1/languages`. It may be left out beside a `context_id`, whose language it is then.
    pub language: Option<String>,
    /// Time limit in seconds; may have a fraction.
    #[schema(exclusive_minimum = 0)]
    pub timeout: Option<f64>,
    /// A session to run in; null or left out for a sandbox of its own.
    #[schema(pattern = "^ses_[A-Za-z0-9]{1,64}$")]
    pub session_id: Option<String>,
    /// Which of the session's contexts to run in; null or left out for its default one of the language, which is made
    /// when it is first used.
    #[schema(pattern = "^ctx_[A-Za-z0-9]{1,64}$")]
    pub context_id: Option<String>,
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
    /// Asks for `text`: what a model should read, in so many characters at most.
    #[serde(default, deserialize_with = "integer::optional_u32")]
    #[schema(schema_with = wishes_json::for_model_schema)]
    pub for_model: Option<u32>,
    /// How much of the answer is sent.
    #[schema(schema_with = wishes_json::answer_schema)]
    pub answer: Option<String>,
    /// Files of the workspace that the answer brings as `artifacts`; at most 32 patterns.
    #[schema(schema_with = wishes_json::collect_schema)]
    pub collect: Option<Vec<String>>,
    /// Where values of results above 64 KiB are.
    #[schema(schema_with = wishes_json::large_results_schema)]
    pub large_results: Option<String>,
    /// What it may reach over the network; not in a session, which has its own policy.
    pub network: Option<NetworkBody>,
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
            context_id,
            stdin,
            args,
            env,
            files: body_files,
            limits,
            compiler_flags,
            detached: _,
            for_model,
            answer,
            collect,
            large_results,
            network,
            webhook: _,
        } = self;
        let mut errors = FieldErrors::default();
        let needs_language = language.is_none() && context_id.is_none();
        if needs_language {
            errors.push("language", "must be given, or a context_id in its place");
        }
        let language = language.map(|text| self::language(&text, offer, &mut errors));
        let code = errors.keep("code", checked_code(code));
        let wall = errors.keep("timeout", checked_timeout(timeout, rules));
        let session = session_id.map(|text| {
            SessionId::parse(&text).ok_or("must be a session's id, which begins with ses_")
        });
        let session = errors.keep("session_id", session.transpose()).flatten();
        let (stdin, open_stdin) = stdin.map_or((None, false), |it| (it.content, it.open));
        let context = context_id.map(|text| {
            ContextId::parse(&text).ok_or("must be a context's id, which begins with ctx_")
        });
        let context = errors.keep("context_id", context.transpose()).flatten();
        if context.is_some() && session.is_none() {
            errors.push("context_id", "stands only beside the session_id of its session");
        }
        let stdin = stdin.map(Content::into_bytes).transpose();
        let stdin = errors.keep("stdin", stdin).flatten().unwrap_or_default();
        let args = checked_args(args.unwrap_or_default(), &mut errors);
        let env = environment(env.unwrap_or_default(), &mut errors);
        let files = files(body_files.unwrap_or_default(), &mut errors);
        let limits = limits.unwrap_or_default().parse(wall, &mut errors);
        let flags = checked_flags(compiler_flags.unwrap_or_default(), &mut errors);
        let network = network.map(|network| network.parse(&mut errors));
        if network.is_some() && session.is_some() {
            errors.push("network", "is the session's, for a run in one: change it there");
        }
        let wishes =
            wishes_json::parse(for_model, answer, collect, large_results.as_deref(), &mut errors);
        let run = code.map(|code| RunRequest {
            session,
            context,
            language: language.flatten(),
            code,
            stdin,
            open_stdin,
            args,
            env,
            files,
            limits,
            compiler_flags: flags,
            network,
            wishes,
        });
        errors.finish(run)
    }
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
