//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use ::settings::{Given, command_line};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use execution_service::config::{DOCTOR, DoctorWanted};
use execution_service::language::Language;

use crate::provision;
use crate::settings::Variables;

/// Runs code for language models, each run in a sandbox of its own.
///
/// Without arguments everything starts on this machine: an HTTP gateway and the worker that owns
/// the sandboxes, with an SQLite file and the secrets in the data directory. The first start makes
/// an administrator and prints the password once; later starts keep everything. Ctrl-C ends it all.
#[derive(Debug, Parser)]
#[command(name = "crucible", version, after_long_help = first_steps(), args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// Something else than to start everything.
    #[command(subcommand)]
    pub role: Option<Role>,
}

impl Cli {
    /// Reads the command line: what was said to the launcher, and what else is to be done.
    ///
    /// # Errors
    /// An unknown flag or subcommand; also `--help` and `--version`, which are to be printed.
    pub fn read(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<(Given, Option<Role>), clap::Error> {
        let (matches, given) = command_line::<Variables>(&Self::command(), arguments)?;
        let Self { role } = Self::from_arg_matches(&matches)?;
        Ok((given, role))
    }
}

/// What this executable does instead of starting everything.
#[derive(Debug, Subcommand)]
pub enum Role {
    /// Try every wall around the sandboxes on this host, and say what to do about those that are missing
    #[command(long_about = DOCTOR)]
    Doctor(Doctor),
    /// The HTTP service, configured by environment alone.
    #[command(hide = true)]
    Gateway,
    /// The service that owns the sandboxes, configured by environment alone.
    #[command(hide = true)]
    Worker,
    /// Becomes a command that ends when its parent does.
    #[command(hide = true, name = provision::BOUND)]
    Bound {
        /// Program and arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        command: Vec<OsString>,
    },
}

/// What `doctor` is asked for.
#[derive(Args, Clone, Debug)]
pub struct Doctor {
    /// How the walls are tried, and told of.
    #[command(flatten)]
    pub walls: DoctorWanted,
    /// Run every hostile program and request of attacks/ against a service of its own (or --url), one
    /// after the other, for some minutes; status 1 if one gets through or leaves something behind
    #[arg(long = "attack", id = attack::ATTACK, conflicts_with = "control")]
    pub attacks: bool,
    /// How it is attacked.
    #[command(flatten)]
    pub attack: attack::Options,
    /// Where the service keeps its Python packages [env: DATA_DIR]
    #[arg(long, value_name = "DIRECTORY")]
    pub data_dir: Option<PathBuf>,
}

fn first_steps() -> String {
    let variables = Language::executable_variables();
    format!(
        "\
First steps:
  crucible                      start, and paste the `curl` line that is printed
  crucible doctor               see how well programs would be isolated here, and what to do about it
  crucible doctor --attack      have hundreds of hostile programs try to prove it wrong
  crucible --port 0             on any free port
  crucible --data-dir ./data    keep everything in ./data (as root: not below /root, which the
                                sandboxes' users cannot enter)
  http://127.0.0.1:8000/docs    every call, to be tried in a browser

Environment of the services, handed on (docs/configuration.md and .env.example explain each):
  ADMIN_USERNAME, ADMIN_PASSWORD   the first administrator, instead of a generated password
  SECRET_KEY                       signs access tokens; made on first start
  INTERNAL_AUTH_TOKEN              between gateway and worker; made on first start
  DATABASE_URL                     sqlite:… or postgres:…; a file in the data directory
  ACCESS_TOKEN_EXPIRE_MINUTES      how long somebody who has signed in may go on
  CORS_ORIGINS                     browser origins that may call, comma-separated
  WEBHOOK_HOSTS                    hosts that answers may be posted to, comma-separated
  DEFAULT_TIMEOUT, MAX_TIMEOUT     seconds that a run may take
  INITIAL_POOL_SIZE, MAX_POOL_SIZE warm sandboxes of each language: at first, and under load
  REQUIRE_CGROUPS, REQUIRE_CPU_QUOTA, REQUIRE_FRESH_PROC, REQUIRE_OWN_UIDS
                                   true: refuse to start without that wall; `crucible doctor` shows them
  {variables}
                                   instead of the first suitable one on the PATH; the Python of a
                                   virtual environment brings the packages of that
"
    )
}
