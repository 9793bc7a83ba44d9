//! Flags, taken as they are: what they mean is checked together with the environment, so that all
//! that is wrong is told at once.

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::builder::Resettable;
use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Args, Command, value_parser};

use crate::variable::{is_secret, name};

/// What was said on a command line, by the id of the argument.
#[derive(Clone, Debug, Default)]
pub struct Given(BTreeMap<String, OsString>);

impl Given {
    /// The value of one argument.
    pub(crate) fn value(&self, id: &str) -> Option<&OsString> {
        self.0.get(id)
    }

    /// The same with one more argument, as if it had been a flag.
    #[must_use]
    pub fn with(mut self, id: &str, value: impl Into<OsString>) -> Self {
        self.0.insert(String::from(id), value.into());
        self
    }
}

/// Reads a command line: `base`, with its subcommands, and a flag for each setting that is no secret.
///
/// # Errors
/// An unknown flag or subcommand; also `--help` and `--version`, which are to be printed.
pub fn command_line<S: Args>(
    base: &Command,
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<(ArgMatches, Given), clap::Error> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let settings = S::augment_args(Command::new("settings"));
    let flags: Vec<&Arg> = settings.get_arguments().filter(|arg| !is_secret(arg)).collect();
    let lenient = base.clone().args(flags.iter().map(|arg| unchecked(arg)));
    let matches = lenient.try_get_matches_from(&arguments).map_err(|error| match error.kind() {
        // Explained with defaults and variables, which the unchecked ones do not have.
        ErrorKind::DisplayHelp => match documented::<S>(base).try_get_matches_from(&arguments) {
            Err(help) => help,
            Ok(_) => error,
        },
        _ => error,
    })?;
    let mut given = BTreeMap::new();
    for arg in flags {
        let id = arg.get_id().as_str();
        let values: Vec<OsString> = if arg.get_action().takes_values() {
            matches.get_raw(id).into_iter().flatten().map(OsString::from).collect()
        } else {
            matches.get_flag(id).then(|| OsString::from("true")).into_iter().collect()
        };
        if !values.is_empty() {
            given.insert(String::from(id), values.join(std::ffi::OsStr::new(",")));
        }
    }
    Ok((matches, Given(given)))
}

fn unchecked(arg: &Arg) -> Arg {
    let arg = arg.clone().required(false).env(Resettable::Reset);
    if !arg.get_action().takes_values() {
        return arg;
    }
    let arg = arg.value_parser(value_parser!(OsString)).value_delimiter(Resettable::Reset);
    arg.default_value(Resettable::Reset)
}

/// What `--help` shows: each flag with its variable and default, but never with the value of now; and
/// the secrets, which have no flag.
fn documented<S: Args>(base: &Command) -> Command {
    let settings = S::augment_args(Command::new("settings"));
    let (secrets, flags): (Vec<&Arg>, Vec<&Arg>) =
        settings.get_arguments().partition(|a| is_secret(a));
    let flags = flags.into_iter().map(|arg| arg.clone().required(false).hide_env_values(true));
    let command = base.clone().args(flags);
    let width = secrets.iter().filter_map(|arg| name(arg)).map(|name| name.len()).max();
    let Some(width) = width else { return command };
    let mut note = String::from("Secrets, by the environment alone:");
    for arg in secrets {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        note.push_str(&format!("\n  {:width$}  {help}", name(arg).unwrap_or_default()));
    }
    let more = |text: Option<&clap::builder::StyledStr>| match text {
        Some(text) => format!("{note}\n\n{text}"),
        None => note.clone(),
    };
    let (short, long) = (more(base.get_after_help()), base.get_after_long_help());
    match long {
        Some(long) => command.after_long_help(more(Some(long))).after_help(short),
        None => command.after_help(short),
    }
}
