//! What the launcher was told, by flags and environment, checked.
//!
//! Only what the launcher itself acts upon is read here; everything else is handed to the service
//! that it is for, which checks it and refuses to start.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ::settings::values::{ip_address, port};
use ::settings::{Given, Refused, Variable, misspelt};
use clap::Args;
use execution_service::language::Language;
use telemetry::LogFormat;

use crate::provision::Choice;

/// What can be said on the command line and in the environment, and is the launcher's own business.
#[derive(Args, Clone, Debug)]
pub(crate) struct Variables {
    /// Address to listen on; 0.0.0.0 for every interface
    #[arg(long, env = "HOST", default_value = "127.0.0.1", value_name = "ADDRESS",
          value_parser = ip_address)]
    host: IpAddr,
    /// Port to listen on; 0 picks a free one and prints it
    #[arg(long, env = "PORT", default_value = "8000", value_parser = port)]
    port: u16,
    /// Database, secrets and Python packages. Without it: /var/lib/crucible for root, else
    /// $XDG_DATA_HOME/crucible or ~/.local/share/crucible
    #[arg(long, env = "DATA_DIR", value_name = "DIRECTORY")]
    data_dir: Option<PathBuf>,
    /// auto (pretty on a terminal, JSON elsewhere), pretty or json
    #[arg(long, env = "LOG_FORMAT", default_value = "auto", value_name = "FORMAT")]
    log_format: LogFormat,
    /// What Python in the sandboxes can import: minimal (numpy, pandas, matplotlib, IPython: 60 MB to download, 350 MB
    /// on the disk), standard (88 packages: 360 MB and 1.5 GB, which come while the minimal ones serve), or the path
    /// of a requirements file of your own
    #[arg(long, env = "PYTHON_PACKAGES", default_value = "standard", value_name = "PACKAGES",
          value_parser = Choice::parse)]
    python_packages: Choice,
    /// Do not install any of them: serve what an earlier start has made, else the bare Python
    #[arg(long)]
    no_provision: bool,
    /// Languages to offer, separated by commas; * for all that there are
    #[arg(long, env = "SUPPORTED_LANGUAGES", default_value = "*",
          value_name = "LANGUAGES", value_parser = languages)]
    supported_languages: LanguageList,
    /// The worker: http://127.0.0.1:port or unix:/path/to.sock is started here; http:// or https:// on
    /// another machine is not. Without it: started here, on a socket in the data directory
    #[arg(long, env = "EXECUTION_SERVICE_URL", value_name = "URL", value_parser = worker_place)]
    execution_service_url: Option<WorkerPlace>,
}

impl ::settings::Settings for Variables {}

/// Some languages, each once.
type LanguageList = std::sync::Arc<[Language]>;

/// Every variable that the launcher reads itself.
pub fn variables() -> Vec<Variable> {
    ::settings::variables::<Variables>()
}

/// Everything that the launcher decides upon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `HOST`: where the gateway listens.
    pub host: IpAddr,
    /// `PORT`: 0 for any free one.
    pub port: u16,
    /// `DATA_DIR`: absolute.
    pub data_directory: PathBuf,
    /// `LOG_FORMAT`.
    pub log_format: LogFormat,
    /// `PYTHON_PACKAGES`.
    pub packages: Choice,
    /// Install them if they are not there yet?
    pub provision: bool,
    /// `SUPPORTED_LANGUAGES`.
    pub languages: Vec<Language>,
    /// `EXECUTION_SERVICE_URL`.
    pub worker: WorkerPlace,
}

/// Where the worker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkerPlace {
    /// A child of the launcher, on a socket in the data directory.
    Private,
    /// A child of the launcher that listens here: `127.0.0.1:50051` or `unix:/run/worker.sock`.
    Local(String),
    /// On another machine, started by somebody else; its URL.
    Elsewhere(String),
}

impl Settings {
    /// Flags first, then the environment, then the defaults. `root` decides which data directory
    /// is the default one.
    ///
    /// # Errors
    /// Every value that is malformed.
    pub fn read(
        given: &Given,
        lookup: impl Fn(&str) -> Option<OsString>,
        root: bool,
    ) -> Result<Self, Refused> {
        let said: Variables = ::settings::read(given, &lookup)?;
        Ok(Self {
            host: said.host,
            port: said.port,
            data_directory: data_directory(said.data_dir, &lookup, root)?,
            log_format: said.log_format,
            packages: said.python_packages,
            provision: !said.no_provision,
            languages: said.supported_languages.to_vec(),
            worker: said.execution_service_url.unwrap_or(WorkerPlace::Private),
        })
    }

    /// Of this process, whose environment has no variable that is almost a setting.
    ///
    /// # Errors
    /// As [`Settings::read`] and [`check_spelling`].
    pub fn of_process(given: &Given, root: bool) -> Result<Self, Refused> {
        let spelt = check_spelling(std::env::vars_os().map(|(name, _)| name));
        match (spelt, Self::read(given, ::settings::environment, root)) {
            (Ok(()), read) => read,
            (Err(spelt), Ok(_)) => Err(spelt),
            (Err(Refused(mut problems)), Err(Refused(more))) => {
                problems.extend(more);
                Err(Refused(problems))
            }
        }
    }
}

/// Refuses variables that are almost settings, of the launcher or of a service, among all of the
/// process environment's `names`.
///
/// # Errors
/// Each of them, with the name that is meant.
pub fn check_spelling(names: impl Iterator<Item = OsString>) -> Result<(), Refused> {
    let services = [execution_service::config::variables(), api_service::config::variables()];
    let known = variables().into_iter().chain(services.into_iter().flatten());
    let known: Vec<String> = known.map(|variable| variable.name).collect();
    Refused::unless_empty(misspelt(&known, names))
}

fn data_directory(
    said: Option<PathBuf>,
    lookup: impl Fn(&str) -> Option<OsString>,
    root: bool,
) -> Result<PathBuf, Refused> {
    let set = |name| lookup(name).map(PathBuf::from);
    let default = || {
        if root {
            return PathBuf::from("/var/lib/crucible");
        }
        let base = set("XDG_DATA_HOME")
            .filter(|base| base.is_absolute())
            .or_else(|| set("HOME").map(|home| home.join(".local/share")));
        base.map(|base| base.join("crucible")).unwrap_or_default()
    };
    // Every path that is handed on has to mean the same in a child with another working directory.
    std::path::absolute(said.unwrap_or_else(default)).map_err(|_| {
        let problem = "DATA_DIR must name a directory (there is no HOME to take a default from)";
        Refused(vec![String::from(problem)])
    })
}

fn languages(text: &str) -> Result<LanguageList, String> {
    Language::parse_list(text).map(LanguageList::from)
}

/// A worker on this machine is ours to start; one elsewhere is not.
fn worker_place(url: &str) -> Result<WorkerPlace, String> {
    if let Some(path) = url.strip_prefix("unix:") {
        return if Path::new(path).is_absolute() {
            Ok(WorkerPlace::Local(String::from(url)))
        } else {
            Err(String::from("must have an absolute path after unix:"))
        };
    }
    let (rest, secure) = match url.strip_prefix("https://") {
        Some(rest) => (Some(rest), true),
        None => (url.strip_prefix("http://"), false),
    };
    let authority = rest
        .map(|rest| rest.trim_end_matches('/'))
        .filter(|authority| !authority.is_empty() && !authority.contains('/'))
        .ok_or(
            "must look like http://host:50051, https://host:50051 or unix:/path/to/worker.sock",
        )?;
    let here = authority.replace("localhost", "127.0.0.1");
    match here.parse::<std::net::SocketAddr>() {
        Ok(address) if address.port() == 0 => Err(String::from("must name a port other than 0")),
        // With TLS it has certificates that the launcher does not make.
        Ok(address) if address.ip().is_loopback() && !secure => Ok(WorkerPlace::Local(here)),
        Ok(_) | Err(_) => Ok(WorkerPlace::Elsewhere(String::from(url))),
    }
}
