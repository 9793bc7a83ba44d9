//! The worker's configuration: environment in, checked values out. A value that cannot be used is an
//! error that names its variable.

mod command_line;
mod derived;
mod tls;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, CommandFactory, FromArgMatches, Parser};

pub use command_line::{Action, DOCTOR, DoctorWanted};
use command_line::{CommandLine, executables};
use settings::values::seconds;
use settings::{Given, Refused, Secret, Variable, header_secret};
use telemetry::{LogFormat, log_level};
pub use tls::{Tls, TlsFiles};
pub use values::Listen;
use values::{
    at_least_one, background, bytes, bytes_or_none, count, host_pattern, language_list, listen,
    milli_cpus, overcommit, percent, private_host, processes,
};

use crate::network::{Pattern, PrivateHost};
use crate::owners::Background;

const MIB: u64 = 1 << 20;

/// Every setting is an environment variable. INTERNAL_AUTH_TOKEN must be set; the rest has defaults
/// that suit one machine.
#[derive(Clone, Debug, Parser)]
pub struct Settings {
    /// Where to serve gRPC: ip:port, or unix:/path/of/socket. An address that other machines reach needs
    /// TLS_CERT, TLS_KEY and TLS_CLIENT_CA, or ALLOW_PLAINTEXT
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:50051", value_parser = listen)]
    pub listen: Listen,
    /// How it may be reached over a network.
    #[command(flatten)]
    pub tls: TlsFiles,
    /// File to write the bound address to, once it is bound
    #[arg(long, env = "ADDRESS_FILE")]
    pub address_file: Option<PathBuf>,
    /// Languages to offer, separated by commas; * for all that there are
    #[arg(long, env = "SUPPORTED_LANGUAGES", default_value = "*", value_parser = language_list)]
    pub supported_languages: LanguageList,
    /// Virtual environment with the Python packages that programs may import
    #[arg(long, env = "PYTHON_ENVIRONMENT")]
    pub python_environment: Option<PathBuf>,
    /// Another one, a directory that is still being filled: once a file named complete is in it, runs and
    /// sessions that begin have it
    #[arg(long, env = "PYTHON_ENVIRONMENT_NEXT")]
    pub python_environment_next: Option<PathBuf>,
    /// Python modules to load before they are asked for, separated by commas; by default those of numpy,
    /// pandas, matplotlib.pyplot and IPython.display that are installed
    #[arg(long, env = "PYTHON_PRELOAD", value_delimiter = ',')]
    pub python_preload: Option<Vec<String>>,
    /// Warm sandboxes of each language at start, and when it is quiet
    #[arg(long, env = "INITIAL_POOL_SIZE", default_value = "2", value_parser = count)]
    pub initial_pool_size: usize,
    /// Warm sandboxes of each language under load
    #[arg(long, env = "MAX_POOL_SIZE", default_value = "8", value_parser = count)]
    pub max_pool_size: usize,
    /// Programs that run at once; more wait
    #[arg(long, env = "MAX_CONCURRENT_RUNS", default_value = "32", value_parser = at_least_one)]
    pub max_concurrent_runs: usize,
    /// Programs that wait; more are refused
    #[arg(long, env = "MAX_QUEUED_RUNS", default_value = "256", value_parser = count)]
    pub max_queued_runs: usize,
    /// Programs of one user that wait; more are refused
    #[arg(long, env = "MAX_QUEUED_RUNS_PER_OWNER", default_value = "64", value_parser = count)]
    pub max_queued_runs_per_owner: usize,
    /// Sessions at once
    #[arg(long, env = "MAX_SESSIONS", default_value = "1024", value_parser = count)]
    pub max_sessions: usize,
    /// Sessions of one user at once
    #[arg(long, env = "MAX_SESSIONS_PER_OWNER", default_value = "256", value_parser = count)]
    pub max_sessions_per_owner: usize,
    /// Seconds after which a session without a run ends, unless it asks for fewer
    #[arg(long, env = "SESSION_IDLE_TIMEOUT", default_value = "1800", value_parser = seconds)]
    pub session_idle_timeout: Duration,
    /// Seconds that a program may run, unless its request says otherwise
    #[arg(long, env = "DEFAULT_TIMEOUT", default_value = "30", value_parser = seconds)]
    pub default_timeout: Duration,
    /// Seconds that a request may ask for
    #[arg(long, env = "MAX_TIMEOUT", default_value = "300", value_parser = seconds)]
    pub max_timeout: Duration,
    /// Seconds that a compiler may run
    #[arg(long, env = "COMPILE_TIMEOUT", default_value = "30", value_parser = seconds)]
    pub compile_timeout: Duration,
    /// Bytes of compiled programs to keep, each for the user who sent its source; 0 keeps none
    #[arg(long, env = "COMPILE_CACHE_BYTES", default_value_t = 64 * MIB, value_parser = bytes_or_none)]
    pub compile_cache_bytes: u64,
    /// Memory of a sandbox in bytes, unless the request says otherwise
    #[arg(long, env = "DEFAULT_MEMORY_BYTES", default_value_t = 512 * MIB, value_parser = bytes)]
    pub default_memory_bytes: u64,
    /// Memory that a request may ask for
    #[arg(long, env = "MAX_MEMORY_BYTES", default_value_t = 2048 * MIB, value_parser = bytes)]
    pub max_memory_bytes: u64,
    /// Size of a workspace in bytes, unless the request says otherwise
    #[arg(long, env = "DEFAULT_DISK_BYTES", default_value_t = 256 * MIB, value_parser = bytes)]
    pub default_disk_bytes: u64,
    /// Size that a request may ask for; it lives in memory
    #[arg(long, env = "MAX_DISK_BYTES", default_value_t = 1024 * MIB, value_parser = bytes)]
    pub max_disk_bytes: u64,
    /// Processes and threads of a sandbox that a request may ask for; 128 is the default
    #[arg(long, env = "MAX_PROCESSES", default_value = "512", value_parser = processes)]
    pub max_processes: u32,
    /// Bytes of each output stream past which a program is stopped
    #[arg(long, env = "HARD_OUTPUT_BYTES", default_value_t = 256 * MIB, value_parser = bytes)]
    pub hard_output_bytes: u64,
    /// Directory for whole output that is too long for an answer; without one it is not kept
    #[arg(long, env = "OUTPUT_DIR")]
    pub output_dir: Option<PathBuf>,
    /// Bytes of each output stream to keep there
    #[arg(long, env = "MAX_STORED_OUTPUT_BYTES", default_value_t = 64 * MIB, value_parser = bytes)]
    pub max_stored_output_bytes: u64,
    /// Bytes of all that is kept there; the oldest goes first, and one user has at most half
    #[arg(long, env = "OUTPUT_STORE_BYTES", default_value_t = 1024 * MIB, value_parser = bytes)]
    pub output_store_bytes: u64,
    /// Seconds to keep it
    #[arg(long = "output-retention-seconds", env = "OUTPUT_RETENTION_SECONDS", default_value = "3600", value_parser = seconds)]
    pub output_retention: Duration,
    /// Processor quota of a sandbox, in thousandths of a core
    #[arg(long, env = "SANDBOX_MILLI_CPUS", default_value = "1000", value_parser = milli_cpus)]
    pub sandbox_milli_cpus: u32,
    /// Hundredths of the memory for sandboxes that may be promised to them: a sandbox in use is promised its limit, an idle one what it holds
    #[arg(long, env = "MEMORY_OVERCOMMIT_PERCENT", default_value = "400", value_parser = overcommit)]
    pub memory_overcommit_percent: u32,
    /// Hundredths of the memory and the processes for sandboxes that those of one user may be promised, and may hold
    #[arg(long, env = "OWNER_SHARE_PERCENT", default_value = "50", value_parser = percent)]
    pub owner_share_percent: u32,
    /// What may go on in a session while nothing in it is waited for: full, low (what the processors have left over) or frozen
    #[arg(long, env = "BACKGROUND", default_value = "low", value_parser = background)]
    pub background: Background,
    /// Hosts that sessions and runs may be allowed to reach, separated by commas: example.com, *.example.com (what is
    /// below it), example.com:8443, 192.0.2.7, or * for every name; without a port, 443 and 80 are meant. By default none
    #[arg(long, env = "EGRESS_ALLOW", value_delimiter = ',', value_parser = host_pattern)]
    pub egress_allow: Vec<Pattern>,
    /// Those of them that may have addresses which are not public, separated by commas; NAME=ADDRESS says where one is
    #[arg(long, env = "EGRESS_PRIVATE_HOSTS", value_delimiter = ',', value_parser = private_host)]
    pub egress_private_hosts: Vec<PrivateHost>,
    /// Refuse to start without cgroups, rather than to run with weaker limits
    #[arg(long, env = "REQUIRE_CGROUPS", default_value_t = false,
          action = clap::ArgAction::Set)]
    pub require_cgroups: bool,
    /// Refuse to start where no cgroup can limit processor time
    #[arg(long, env = "REQUIRE_CPU_QUOTA", default_value_t = false,
          action = clap::ArgAction::Set)]
    pub require_cpu_quota: bool,
    /// Refuse to start where the kernel allows sandboxes no /proc of their own
    #[arg(long, env = "REQUIRE_FRESH_PROC", default_value_t = false,
          action = clap::ArgAction::Set)]
    pub require_fresh_proc: bool,
    /// Refuse to start where sandboxes cannot have a uid each
    #[arg(long, env = "REQUIRE_OWN_UIDS", default_value_t = false,
          action = clap::ArgAction::Set)]
    pub require_own_uids: bool,
    /// Seconds between two comparisons of what the worker holds with what the kernel says there is
    #[arg(long, env = "INVENTORY_INTERVAL", default_value = "60", value_parser = seconds)]
    pub inventory_interval: Duration,
    /// auto (coloured on a terminal, JSON elsewhere), pretty or json
    #[arg(long, env = "LOG_FORMAT", default_value = "auto")]
    pub log_format: LogFormat,
    /// error, warn, info, debug or trace; or a filter such as `info,execution_service=debug`
    #[arg(long, env = "LOG_LEVEL", default_value = "info", value_parser = log_level)]
    pub log_level: String,
}

/// A list without doubles.
pub type LanguageList = values::LanguageList;

/// What only the process that serves is told, after the one that makes sandboxes was forked.
#[derive(Args, Clone, Debug)]
struct Secrets {
    /// What gateway and worker share: 32 bytes or more, printable ASCII
    #[arg(long, env = "INTERNAL_AUTH_TOKEN", hide_env_values = true, value_parser = header_secret)]
    internal_auth_token: Secret,
}

impl settings::Settings for Secrets {}

/// Both, for `--help` and the documentation.
#[derive(Args, Clone, Debug)]
struct All {
    #[command(flatten)]
    secrets: Secrets,
    #[command(flatten)]
    settings: Settings,
}

/// Every variable that the worker reads.
pub fn variables() -> Vec<Variable> {
    let mut variables = settings::variables::<All>();
    variables.extend(executables());
    let no_color = "When set to anything, pretty logs have no colours";
    variables.push(Variable::other("NO_COLOR", no_color));
    variables
}

/// The token that a gateway must show. To be called by the process that serves, which has to be the
/// only one that ever holds it.
///
/// # Errors
/// When it is missing or weak.
pub fn internal_auth_token() -> Result<Secret, Refused> {
    let read: Secrets = settings::read(&Given::default(), settings::environment)?;
    Ok(read.internal_auth_token)
}

impl Settings {
    /// From this process's command line and environment, with what is to be done.
    ///
    /// # Errors
    /// An unknown flag; also `--help` and `--version`, which are to be printed.
    pub fn from_command_line(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Result<(Self, Action), Refused>, clap::Error> {
        let (matches, given) = settings::command_line::<All>(&CommandLine::command(), arguments)?;
        let CommandLine { action } = CommandLine::from_arg_matches(&matches)?;
        let read = Self::from_process(&given);
        Ok(read.map(|settings| (settings, action.unwrap_or(Action::Serve))))
    }

    /// From this process's environment alone.
    ///
    /// # Errors
    /// Every variable that is malformed, or looks like a misspelt one of ours.
    pub fn from_env() -> Result<Self, Refused> {
        Self::from_process(&Given::default())
    }

    fn from_process(given: &Given) -> Result<Self, Refused> {
        let known: Vec<String> = variables().into_iter().map(|one| one.name).collect();
        settings::read_spelt(given, &known)
    }

    /// The names of all variables that these settings are read from.
    pub fn variables() -> Vec<String> {
        settings::variables::<Self>().into_iter().map(|variable| variable.name).collect()
    }
}

impl settings::Settings for Settings {
    fn conflicts(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut ordered = |small: &str, large: &str, holds: bool| {
            if !holds {
                problems.push(format!("{small} must not be more than {large}"));
            }
        };
        let pool = self.initial_pool_size <= self.max_pool_size;
        ordered("INITIAL_POOL_SIZE", "MAX_POOL_SIZE", pool);
        ordered("DEFAULT_TIMEOUT", "MAX_TIMEOUT", self.default_timeout <= self.max_timeout);
        let memory = self.default_memory_bytes <= self.max_memory_bytes;
        ordered("DEFAULT_MEMORY_BYTES", "MAX_MEMORY_BYTES", memory);
        let disk = self.default_disk_bytes <= self.max_disk_bytes;
        ordered("DEFAULT_DISK_BYTES", "MAX_DISK_BYTES", disk);
        problems.extend(self.tls.conflicts(&self.listen).map(String::from));
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_holds_together() {
        Settings::command().debug_assert();
    }

    #[test]
    fn every_variable_is_explained() {
        let explained = include_str!("../../../.env.example");
        for name in Settings::variables() {
            assert!(explained.contains(&format!("#{name}=")), "{name} is not in .env.example");
        }
    }

    #[test]
    fn a_worker_that_other_machines_reach_needs_tls_or_a_word_that_it_is_not_needed() {
        let problems = |variables: &[(&str, &str)]| {
            let lookup = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| OsString::from(value))
            };
            let read = settings::read::<Settings>(&Given::default(), lookup);
            read.map_or_else(|Refused(problems)| problems.join("\n"), |_| String::new())
        };
        let open = ("LISTEN", "0.0.0.0:50051");
        let files = [("TLS_CERT", "/c"), ("TLS_KEY", "/k"), ("TLS_CLIENT_CA", "/a")];
        assert_eq!(problems(&[]), "");
        assert!(problems(&[open]).contains("ALLOW_PLAINTEXT=true"));
        assert_eq!(problems(&[open, ("ALLOW_PLAINTEXT", "true")]), "");
        assert_eq!(problems(&[&[open][..], &files].concat()), "");
        assert!(problems(&[open, files[0], files[1]]).contains("set together"));
        assert!(problems(&[&[("LISTEN", "unix:/s")][..], &files].concat()).contains("unix:"));
    }

    #[test]
    fn wrong_values_are_refused_by_name() {
        for (argument, name) in [
            ("--max-timeout=-1", "MAX_TIMEOUT"),
            ("--default-timeout=abc", "DEFAULT_TIMEOUT"),
            ("--supported-languages=python,cobol", "SUPPORTED_LANGUAGES"),
            ("--listen=nowhere", "LISTEN"),
            ("--max-pool-size=many", "MAX_POOL_SIZE"),
            ("--max-concurrent-runs=0", "MAX_CONCURRENT_RUNS"),
            ("--compile-cache-bytes=-1", "COMPILE_CACHE_BYTES"),
        ] {
            let error = Settings::try_parse_from(["x", argument]).expect_err(argument).to_string();
            let flag = name.to_lowercase().replace('_', "-");
            assert!(error.contains(&flag), "{argument}: {error}");
        }
    }
}
