//! The worker's configuration: environment in, checked values out. A value that cannot be used is an
//! error that names its variable.

mod command_line;
mod derived;
mod values;

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::language::NAMES;
use command_line::CommandLine;
pub use command_line::{Action, DOCTOR, DoctorWanted};
pub use values::{Listen, LogFormat, Secret, SecretError};
use values::{at_least_one, bytes, bytes_or_none, language_list, listen, seconds};

const MIB: u64 = 1 << 20;

/// Every setting is an environment variable. INTERNAL_AUTH_TOKEN must be set; the rest has defaults
/// that suit one machine.
#[derive(Clone, Debug, Parser)]
pub struct Settings {
    /// Where to serve gRPC: an address, or `unix:` and a path
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:50051", value_parser = listen)]
    pub listen: Listen,
    /// File to write the bound address to, once it is bound
    #[arg(long, env = "ADDRESS_FILE")]
    pub address_file: Option<PathBuf>,
    /// Languages to offer, separated by commas
    #[arg(long, env = "SUPPORTED_LANGUAGES", default_value = NAMES.as_str(),
          value_parser = language_list)]
    pub supported_languages: LanguageList,
    /// Virtual environment with the Python packages that programs may import
    #[arg(long, env = "PYTHON_ENVIRONMENT")]
    pub python_environment: Option<PathBuf>,
    /// Python modules to load before they are asked for, separated by commas; by default those of numpy,
    /// pandas, matplotlib.pyplot and IPython.display that are installed
    #[arg(long, env = "PYTHON_PRELOAD", value_delimiter = ',')]
    pub python_preload: Option<Vec<String>>,
    /// Warm sandboxes of each language at start, and when it is quiet
    #[arg(long, env = "INITIAL_POOL_SIZE", default_value_t = 2)]
    pub initial_pool_size: usize,
    /// Warm sandboxes of each language under load
    #[arg(long, env = "MAX_POOL_SIZE", default_value_t = 8)]
    pub max_pool_size: usize,
    /// Programs that run at once; more wait
    #[arg(long, env = "MAX_CONCURRENT_RUNS", default_value = "32", value_parser = at_least_one)]
    pub max_concurrent_runs: usize,
    /// Programs that wait; more are refused
    #[arg(long, env = "MAX_QUEUED_RUNS", default_value_t = 256)]
    pub max_queued_runs: usize,
    /// Programs of one user that wait; more are refused
    #[arg(long, env = "MAX_QUEUED_RUNS_PER_OWNER", default_value_t = 64)]
    pub max_queued_runs_per_owner: usize,
    /// Sessions at once
    #[arg(long, env = "MAX_SESSIONS", default_value_t = 1024)]
    pub max_sessions: usize,
    /// Sessions of one user at once
    #[arg(long, env = "MAX_SESSIONS_PER_OWNER", default_value_t = 256)]
    pub max_sessions_per_owner: usize,
    /// Seconds after which a session without a run ends
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
    #[arg(long, env = "MAX_PROCESSES", default_value_t = 512)]
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
    #[arg(long, env = "OUTPUT_RETENTION_SECONDS", default_value = "3600", value_parser = seconds)]
    pub output_retention: Duration,
    /// Processor quota of a sandbox, in thousandths of a core
    #[arg(long, env = "SANDBOX_MILLI_CPUS", default_value_t = 1000)]
    pub sandbox_milli_cpus: u32,
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
    #[arg(long, env = "LOG_LEVEL", default_value = "info")]
    pub log_level: String,
}

/// A list without doubles.
pub type LanguageList = values::LanguageList;

impl Settings {
    /// Reads the environment. The command line has its say only when this is the whole program and
    /// not a part of the launcher, whose arguments are its own.
    ///
    /// # Errors
    /// The first value that cannot be used; also `--help` and `--version`, which are to be printed.
    pub fn from_env_or_arguments() -> Result<(Self, Action), clap::Error> {
        let own = std::env::args_os()
            .next()
            .is_some_and(|name| std::path::Path::new(&name).ends_with("execution_service"));
        if !own {
            return Ok((Self::from_env()?, Action::Serve));
        }
        let CommandLine { settings, action } = CommandLine::try_parse()?;
        settings.check()?;
        Ok((settings, action.unwrap_or(Action::Serve)))
    }

    /// Reads the environment alone.
    ///
    /// # Errors
    /// The first value that cannot be used.
    pub fn from_env() -> Result<Self, clap::Error> {
        let settings = Self::try_parse_from(["execution_service"])?;
        settings.check()?;
        Ok(settings)
    }

    /// The names of all variables that are read here.
    pub fn variables() -> Vec<String> {
        use clap::CommandFactory;
        let command = Self::command();
        let names = command.get_arguments().filter_map(clap::Arg::get_env);
        names.map(|name| name.to_string_lossy().into_owned()).collect()
    }

    fn check(&self) -> Result<(), clap::Error> {
        let ordered = |small: &str, large: &str, holds: bool| {
            if holds {
                return Ok(());
            }
            let message = format!("{small} must not be more than {large}\n");
            Err(clap::Error::raw(clap::error::ErrorKind::ValueValidation, message))
        };
        let pool = self.initial_pool_size <= self.max_pool_size;
        ordered("INITIAL_POOL_SIZE", "MAX_POOL_SIZE", pool)?;
        ordered("DEFAULT_TIMEOUT", "MAX_TIMEOUT", self.default_timeout <= self.max_timeout)?;
        let memory = self.default_memory_bytes <= self.max_memory_bytes;
        ordered("DEFAULT_MEMORY_BYTES", "MAX_MEMORY_BYTES", memory)?;
        ordered(
            "DEFAULT_DISK_BYTES",
            "MAX_DISK_BYTES",
            self.default_disk_bytes <= self.max_disk_bytes,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_holds_together() {
        use clap::CommandFactory;
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
