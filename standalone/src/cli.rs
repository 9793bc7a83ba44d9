//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use execution_service::config::{DOCTOR, DoctorWanted};

use crate::provision;

/// Runs code for language models, each run in a sandbox of its own.
///
/// Without arguments everything starts on this machine: an HTTP gateway and the worker that owns
/// the sandboxes, with an SQLite file and the secrets in the data directory. The first start makes
/// an administrator and prints the password once; later starts keep everything. Ctrl-C ends it all.
#[derive(Debug, Parser)]
#[command(name = "crucible", version, after_long_help = ENVIRONMENT, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What the launcher was told; empty for the services.
    #[command(flatten)]
    pub flags: Flags,
    /// Something else than to start everything.
    #[command(subcommand)]
    pub role: Option<Role>,
}

/// What can be said on the command line. Each wins over the environment variable it names.
#[derive(Args, Clone, Debug, Default)]
pub struct Flags {
    /// Address to listen on; 0.0.0.0 for every interface [env: HOST] [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    pub host: Option<String>,
    /// Port to listen on; 0 picks a free one and prints it [env: PORT] [default: 8000]
    #[arg(long, value_name = "PORT")]
    pub port: Option<String>,
    /// Database, secrets and Python packages [env: DATA_DIR] [default: /var/lib/crucible for root,
    /// else ~/.local/share/crucible]
    #[arg(long, value_name = "DIRECTORY")]
    pub data_dir: Option<PathBuf>,
    /// auto, pretty or json; auto is pretty on a terminal and json elsewhere [env: LOG_FORMAT]
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,
    /// Do not install numpy, pandas, matplotlib and IPython for the sandboxes (on first start this
    /// takes a minute and some 300 MB; without network the service starts with the bare Python)
    #[arg(long)]
    pub no_provision: bool,
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

const ENVIRONMENT: &str = "\
First steps:
  crucible                      start, and paste the `curl` line that is printed
  crucible doctor               see how well programs would be isolated here, and what to do about it
  crucible doctor --attack      have hundreds of hostile programs try to prove it wrong
  crucible --port 0             on any free port
  crucible --data-dir ./data    keep everything in ./data (as root: not below /root, which the
                                sandboxes' users cannot enter)
  http://127.0.0.1:8000/docs    every call, to be tried in a browser

Environment (a malformed value is an error that names it; .env.example explains each):
  ADMIN_USERNAME, ADMIN_PASSWORD   the first administrator, instead of a generated password
  SECRET_KEY                       signs access tokens; made on first start
  INTERNAL_AUTH_TOKEN              between gateway and worker; made on first start
  DATABASE_URL                     sqlite:… or postgres:…; a file in the data directory
  EXECUTION_SERVICE_URL            where the worker is; one on another machine is not started here
  ACCESS_TOKEN_EXPIRE_MINUTES      30
  CORS_ORIGINS                     browser origins that may call, comma-separated; none
  SUPPORTED_LANGUAGES              python,node,bash,c
  DEFAULT_TIMEOUT, MAX_TIMEOUT     seconds a run may take: 30, and 300 at most
  INITIAL_POOL_SIZE, MAX_POOL_SIZE warm sandboxes of each language: 2, and 8 under load
  REQUIRE_CGROUPS, REQUIRE_CPU_QUOTA, REQUIRE_FRESH_PROC, REQUIRE_OWN_UIDS
                                   true: refuse to start without that wall; `crucible doctor` shows them
  PYTHON_EXECUTABLE, NODE_EXECUTABLE, BASH_EXECUTABLE, GCC_EXECUTABLE
                                   instead of the first suitable one on the PATH; the Python of a
                                   virtual environment brings the packages of that
";
