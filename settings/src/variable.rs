//! What a program can be told, for `--help`, the documentation and those who misspell it.

use clap::{Arg, Args, Command};

/// One variable of the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// `MAX_TIMEOUT`
    pub name: String,
    /// `--max-timeout`; none for a secret, and for what a program does not read itself.
    pub flag: Option<String>,
    /// What it is when it is not set.
    pub default: Option<String>,
    /// The program does not start without it.
    pub required: bool,
    /// What it means, with the unit.
    pub meaning: String,
}

impl Variable {
    /// One that is read outside of the program's own settings.
    pub fn other(name: &str, meaning: &str) -> Self {
        Self {
            name: String::from(name),
            flag: None,
            default: None,
            required: false,
            meaning: String::from(meaning),
        }
    }
}

/// All variables that these settings are read from.
pub fn variables<S: Args>() -> Vec<Variable> {
    let command = S::augment_args(Command::new("settings"));
    command.get_arguments().filter_map(variable).collect()
}

fn variable(arg: &Arg) -> Option<Variable> {
    let defaults = arg.get_default_values().iter();
    let default: Vec<_> = defaults.map(|value| value.to_string_lossy()).collect();
    Some(Variable {
        name: name(arg)?,
        flag: arg.get_long().filter(|_| !is_secret(arg)).map(|long| format!("--{long}")),
        default: (!default.is_empty()).then(|| default.join(",")),
        required: arg.is_required_set(),
        meaning: arg.get_help().map(ToString::to_string).unwrap_or_default(),
    })
}

/// The variable of an argument.
pub(crate) fn name(arg: &Arg) -> Option<String> {
    arg.get_env().map(|name| name.to_string_lossy().into_owned())
}

/// Taken from the environment alone. `hide_env_values` is the mark: `--help` would print it.
pub(crate) fn is_secret(arg: &Arg) -> bool {
    arg.is_hide_env_values_set()
}
