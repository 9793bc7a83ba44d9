//! From flags and environment to checked values.

use std::error::Error;
use std::ffi::{OsStr, OsString};

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Args, Command};

use crate::command_line::Given;
use crate::refused::Refused;
use crate::spelling::misspelt;
use crate::variable::{is_secret, name};

/// What a program can be told.
pub trait Settings: Args {
    /// What is wrong with values that are right each by itself: one line for each problem.
    fn conflicts(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A variable of this process.
pub fn environment(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// The settings from flags, variables (which `lookup` gives by name) and defaults. An empty variable
/// counts as one that is not set, where there is no default and no list of values.
///
/// # Errors
/// Everything that is missing or malformed; only if there is no such thing, what does not go together.
pub fn read<S: Settings>(
    given: &Given,
    lookup: impl Fn(&str) -> Option<OsString>,
) -> Result<S, Refused> {
    let definition = S::augment_args(Command::new("settings"));
    let mut problems = Vec::new();
    let mut arguments = Vec::new();
    for arg in definition.get_arguments() {
        let flag = given.value(arg.get_id().as_str()).cloned();
        let variable =
            || name(arg).and_then(|name| lookup(&name)).filter(|value| means(arg, value));
        let from_flag = flag.is_some();
        match flag.or_else(variable) {
            Some(value) => match check(arg, &value) {
                Ok(()) => arguments.push(argument(arg, &value)),
                Err(problem) => problems.push(format!("{} {problem}", said(arg, from_flag))),
            },
            None if arg.is_required_set() => {
                let remedy =
                    if is_secret(arg) { "; make one with: openssl rand -hex 32" } else { "" };
                problems.push(format!("{} is not set{remedy}", said(arg, false)));
            }
            None => {}
        }
    }
    Refused::unless_empty(problems)?;
    let matches = without_environment(definition).try_get_matches_from(arguments);
    let settings = matches.and_then(|matches| S::from_arg_matches(&matches));
    // Each value has been taken by itself, and definitions say nothing of two together.
    let settings = settings.map_err(|error| Refused(vec![error.kind().to_string()]))?;
    Refused::unless_empty(settings.conflicts())?;
    Ok(settings)
}

/// The settings of this process, whose environment has no variable that is almost a `known` one.
///
/// # Errors
/// As [`read`], and for each such variable.
pub fn read_spelt<S: Settings>(given: &Given, known: &[String]) -> Result<S, Refused> {
    let mut problems = misspelt(known, std::env::vars_os().map(|(name, _)| name));
    match read(given, environment) {
        Ok(settings) => Refused::unless_empty(problems).map(|()| settings),
        Err(Refused(more)) => {
            problems.extend(more);
            Err(Refused(problems))
        }
    }
}

/// Whether a value that may be empty says something.
fn means(arg: &Arg, value: &OsStr) -> bool {
    let optional = !arg.is_required_set() && arg.get_default_values().is_empty();
    !(value.is_empty() && optional && arg.get_value_delimiter().is_none())
}

/// How the operator said it.
fn said(arg: &Arg, by_flag: bool) -> String {
    let flag = || arg.get_long().map(|long| format!("--{long}"));
    match name(arg) {
        Some(name) if !by_flag => name,
        Some(_) | None => flag().unwrap_or_else(|| arg.get_id().to_string()),
    }
}

fn argument(arg: &Arg, value: &OsStr) -> OsString {
    let mut argument = OsString::from(format!("--{}", arg.get_long().unwrap_or_default()));
    if arg.get_action().takes_values() {
        argument.push("=");
        argument.push(value);
    }
    argument
}

/// A command that takes its values from its arguments and from nothing else.
fn without_environment(command: Command) -> Command {
    command
        .no_binary_name(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .mut_args(|arg| arg.env(Resettable::Reset))
}

/// Whether a value is one, and if not, what would be: never with the value itself.
fn check(arg: &Arg, value: &OsStr) -> Result<(), String> {
    let alone = Command::new("one").arg(arg.clone().required(false));
    let error = match without_environment(alone).try_get_matches_from([argument(arg, value)]) {
        Ok(_) => return Ok(()),
        Err(error) => error,
    };
    if let Some(problem) = error.source() {
        return Err(problem.to_string());
    }
    match (error.kind(), error.get(ContextKind::ValidValue)) {
        (_, Some(ContextValue::Strings(choice))) if !choice.is_empty() => {
            let (last, first) = (choice[choice.len() - 1].as_str(), &choice[..choice.len() - 1]);
            let or = if first.is_empty() { "" } else { " or " };
            Err(format!("must be {}{or}{last}", first.join(", ")))
        }
        (ErrorKind::InvalidUtf8, _) => Err(String::from("must be UTF-8")),
        (kind, _) => Err(kind.to_string()),
    }
}
