//! A command to start.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::field_error::{FieldError, FieldErrors};
use crate::domain::process::{
    MAX_SIDE, MAX_STDIN, MAX_TAG, MAX_TIMEOUT, MAX_WORDS, NewProcess, TerminalSize,
};
use crate::domain::run::{MAX_STRING, RunRules};
use crate::domain::workspace::WorkspacePath;
use crate::http::rest::fields::content::Content;
use crate::http::rest::fields::integer;
use crate::http::rest::fields::program::{bounded, environment, environment_schema};
use crate::http::rest::fields::stdin::StdinBody;

/// A command to start in a session.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"command": "make -j2 && ./tests", "timeout": 60}))]
pub struct ProcessBody {
    /// A text is given to bash; a list is executed as it is.
    pub command: CommandBody,
    /// Environment variables, beside the session's; at most 256.
    #[schema(schema_with = environment_schema)]
    pub env: Option<BTreeMap<String, String>>,
    /// Where it begins: a folder of the workspace that exists; the workspace itself when left out.
    #[schema(max_length = 4096)]
    pub cwd: Option<String>,
    /// Standard input: in full, or with `open` for more while it runs.
    pub stdin: Option<StdinBody>,
    /// Time limit in seconds; may have a fraction. Without one, a process that is waited for has that of a run, and
    /// one in the background has none.
    #[schema(exclusive_minimum = 0)]
    pub timeout: Option<f64>,
    /// Gives it a terminal.
    pub pty: Option<PtyBody>,
    /// True: it is answered at once with 201, and nobody waits for it.
    pub background: Option<bool>,
    /// What you call it.
    #[schema(max_length = 64)]
    pub tag: Option<String>,
}

/// The size of a terminal.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"cols": 80, "rows": 24}))]
pub struct PtyBody {
    /// Characters in a line; 80 when left out.
    #[serde(default, deserialize_with = "integer::optional_u32")]
    #[schema(minimum = 1, maximum = 1000)]
    pub cols: Option<u32>,
    /// Lines; 24 when left out.
    #[serde(default, deserialize_with = "integer::optional_u32")]
    #[schema(minimum = 1, maximum = 1000)]
    pub rows: Option<u32>,
}

/// Another size of a terminal.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"cols": 80, "rows": 24}))]
pub struct SizeBody {
    /// Characters in a line.
    #[serde(deserialize_with = "integer::u32")]
    #[schema(minimum = 1, maximum = 1000)]
    pub cols: u32,
    /// Lines.
    #[serde(deserialize_with = "integer::u32")]
    #[schema(minimum = 1, maximum = 1000)]
    pub rows: u32,
}

/// What to start.
#[derive(Debug)]
pub enum CommandBody {
    /// For bash.
    Shell(String),
    /// The program and its arguments.
    Words(Vec<String>),
}

impl ProcessBody {
    /// Checks everything at once.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self, rules: &RunRules) -> Result<NewProcess, Vec<FieldError>> {
        let Self { command, env, cwd, stdin, timeout, pty, background, tag } = self;
        let mut errors = FieldErrors::default();
        let background = background.unwrap_or_default();
        let command = command.parse(&mut errors);
        let env = environment(env.unwrap_or_default(), &mut errors);
        let cwd = cwd.filter(|path| !matches!(path.as_str(), "" | "."));
        let cwd = cwd.map(|path| WorkspacePath::parse(&path)).transpose();
        let cwd = errors.keep("cwd", cwd).flatten();
        let (stdin, open_stdin) = stdin.map_or((None, false), |it| (it.content, it.open));
        let stdin = stdin.map(Content::into_bytes).transpose();
        let stdin = errors.keep("stdin", stdin).flatten().unwrap_or_default();
        if stdin.len() > MAX_STDIN {
            errors.push("stdin", format!("must have at most {MAX_STDIN} bytes; write a file"));
        }
        let timeout = errors.keep("timeout", checked_timeout(timeout, background, rules)).flatten();
        let terminal = pty.map(|pty| pty.parse("pty.", &mut errors));
        let tag = tag.unwrap_or_default();
        if tag.chars().count() > MAX_TAG {
            errors.push("tag", format!("must have at most {MAX_TAG} characters"));
        }
        let new =
            NewProcess { command, env, cwd, stdin, open_stdin, timeout, terminal, tag, background };
        errors.finish(Some(new))
    }
}

impl From<SizeBody> for PtyBody {
    fn from(SizeBody { cols, rows }: SizeBody) -> Self {
        Self { cols: Some(cols), rows: Some(rows) }
    }
}

impl PtyBody {
    /// The size, with what is usual where it says nothing.
    pub(super) fn parse(self, before: &str, errors: &mut FieldErrors) -> TerminalSize {
        let mut side = |name: &str, number: Option<u32>, usual: u16| {
            let number = number.unwrap_or(u32::from(usual));
            match u16::try_from(number) {
                Ok(number) if (1..=MAX_SIDE).contains(&number) => number,
                Ok(_) | Err(_) => {
                    errors.push(format!("{before}{name}"), format!("must be from 1 to {MAX_SIDE}"));
                    usual
                }
            }
        };
        let usual = TerminalSize::USUAL;
        TerminalSize {
            cols: side("cols", self.cols, usual.cols),
            rows: side("rows", self.rows, usual.rows),
        }
    }
}

impl CommandBody {
    fn parse(self, errors: &mut FieldErrors) -> Vec<String> {
        match self {
            Self::Shell(text) => {
                if text.trim().is_empty() {
                    errors.push("command", "must not be empty");
                }
                bounded("command", &text, errors);
                vec!["bash".to_owned(), "-c".to_owned(), text]
            }
            Self::Words(words) => {
                if words.len() > MAX_WORDS {
                    errors.push("command", format!("must have at most {MAX_WORDS} words"));
                    return Vec::new();
                }
                if words.first().is_none_or(String::is_empty) {
                    errors.push("command", "must name a program");
                }
                for (index, word) in words.iter().enumerate() {
                    bounded(&format!("command[{index}]"), word, errors);
                }
                words
            }
        }
    }
}

fn checked_timeout(
    timeout: Option<f64>,
    background: bool,
    rules: &RunRules,
) -> Result<Option<Duration>, String> {
    let Some(seconds) = timeout else {
        return Ok((!background).then_some(rules.default_timeout));
    };
    let max = if background { MAX_TIMEOUT } else { rules.max_timeout }.as_secs_f64();
    if seconds > 0.0 && seconds <= max {
        // Rounded up to what the wire can carry: one millisecond.
        Ok(Some(Duration::from_secs_f64(seconds).max(Duration::from_millis(1))))
    } else {
        Err(format!("must be above 0 and at most {max} seconds"))
    }
}

impl<'de> Deserialize<'de> for CommandBody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CommandVisitor)
    }
}

struct CommandVisitor;

impl<'de> Visitor<'de> for CommandVisitor {
    type Value = CommandBody;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of strings")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<CommandBody, E> {
        Ok(CommandBody::Shell(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<CommandBody, E> {
        Ok(CommandBody::Shell(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, words: A) -> Result<CommandBody, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(words)).map(CommandBody::Words)
    }
}

impl PartialSchema for CommandBody {
    fn schema() -> RefOr<Schema> {
        let word =
            || ObjectBuilder::new().schema_type(Type::String).max_length(Some(MAX_STRING / 4));
        let shell = word()
            .pattern(Some("^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$"))
            .description(Some("A text for bash."));
        let words = ArrayBuilder::new()
            .prefix_items([word().min_length(Some(1)).pattern(Some("^[^\\u0000]+$")).build()])
            .items(word().pattern(Some("^[^\\u0000]*$")))
            .min_items(Some(1))
            .max_items(Some(MAX_WORDS))
            .description(Some("The program and its arguments, executed as they are."));
        RefOr::T(Schema::OneOf(OneOfBuilder::new().item(shell).item(words).build()))
    }
}

impl ToSchema for CommandBody {}
