//! What the launcher was told, by flags and environment, checked.
//!
//! Only what the launcher itself acts upon is read here; everything else is handed to the service
//! that it is for, which checks it and refuses to start.

mod misspelt;

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use execution_service::language::Language;
use thiserror::Error;

use crate::cli::Flags;

/// Looks a variable up; the process environment, or what a test says.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<OsString>;

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
    /// Install rich Python if it is not there yet?
    pub provision: bool,
    /// `SUPPORTED_LANGUAGES`.
    pub languages: Vec<Language>,
    /// `EXECUTION_SERVICE_URL`.
    pub worker: WorkerPlace,
}

/// How log records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Pretty on a terminal, JSON elsewhere.
    Auto,
    /// For eyes.
    Pretty,
    /// One object per line.
    Json,
}

impl LogFormat {
    /// The name that the services know it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Pretty => "pretty",
            Self::Json => "json",
        }
    }
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

/// A setting that cannot be used, and what to do about it.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum InvalidSetting {
    /// The value means nothing.
    #[error("{name}={value:?}: {problem}")]
    Malformed {
        /// The flag or variable at fault.
        name: &'static str,
        /// What it was set to.
        value: String,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// A variable of that name would be ignored.
    #[error("{name} is not a setting; did you mean {meant}?")]
    Misspelt {
        /// The variable at fault.
        name: String,
        /// The setting that it is one letter away from.
        meant: String,
    },
}

impl Settings {
    /// Flags first, then the environment, then the defaults. `root` decides which data directory
    /// is the default one.
    ///
    /// # Errors
    /// [`InvalidSetting`] for the first value that is malformed; an empty one counts as malformed.
    pub fn read(flags: &Flags, lookup: Lookup<'_>, root: bool) -> Result<Self, InvalidSetting> {
        let Flags { host, port, data_dir, log_format, no_provision } = flags;
        Ok(Self {
            host: match pick("--host", host.as_deref(), "HOST", lookup)? {
                None => IpAddr::V4(Ipv4Addr::LOCALHOST),
                Some(found) => found.parse("an IP address, such as 127.0.0.1 or 0.0.0.0")?,
            },
            port: match pick("--port", port.as_deref(), "PORT", lookup)? {
                None => 8000,
                Some(found) => found.parse("a number from 0 (any free port) to 65535")?,
            },
            data_directory: data_directory(data_dir.as_deref(), lookup, root)?,
            log_format: match pick("--log-format", log_format.as_deref(), "LOG_FORMAT", lookup)? {
                None => LogFormat::Auto,
                Some(found) => match found.value.as_str() {
                    "auto" => LogFormat::Auto,
                    "pretty" => LogFormat::Pretty,
                    "json" => LogFormat::Json,
                    _ => return Err(found.refuse("must be auto, pretty or json")),
                },
            },
            provision: !no_provision,
            languages: match pick("", None, "SUPPORTED_LANGUAGES", lookup)? {
                None => Language::ALL.to_vec(),
                Some(found) => languages(&found)?,
            },
            worker: match pick("", None, "EXECUTION_SERVICE_URL", lookup)? {
                None => WorkerPlace::Private,
                Some(found) => worker_place(&found)?,
            },
        })
    }
}

/// Refuses variables that are almost settings, among all of the process environment's `names`.
///
/// # Errors
/// [`InvalidSetting::Misspelt`] for the first one.
pub fn check_spelling(names: impl Iterator<Item = OsString>) -> Result<(), InvalidSetting> {
    // A name that is not UTF-8 is not within one letter of any of ours.
    misspelt::check(names.filter_map(|name| name.into_string().ok()))
}

struct Found {
    name: &'static str,
    value: String,
}

impl Found {
    fn parse<T: std::str::FromStr>(&self, expected: &str) -> Result<T, InvalidSetting> {
        self.value.parse().map_err(|_| self.refuse(&format!("must be {expected}")))
    }

    fn refuse(&self, problem: &str) -> InvalidSetting {
        let Self { name, value } = self;
        InvalidSetting::Malformed { name, value: value.clone(), problem: String::from(problem) }
    }
}

fn pick(
    flag: &'static str,
    given: Option<&str>,
    variable: &'static str,
    lookup: Lookup<'_>,
) -> Result<Option<Found>, InvalidSetting> {
    if let Some(value) = given {
        return Ok(Some(Found { name: flag, value: String::from(value) }));
    }
    let Some(value) = lookup(variable) else {
        return Ok(None);
    };
    match value.into_string() {
        Ok(value) => Ok(Some(Found { name: variable, value })),
        Err(value) => Err(InvalidSetting::Malformed {
            name: variable,
            value: value.to_string_lossy().into_owned(),
            problem: String::from("must be UTF-8"),
        }),
    }
}

fn data_directory(
    given: Option<&Path>,
    lookup: Lookup<'_>,
    root: bool,
) -> Result<PathBuf, InvalidSetting> {
    let set = |name| lookup(name).map(PathBuf::from);
    let (name, directory) = match (given, set("DATA_DIR")) {
        (Some(directory), _) => ("--data-dir", directory.to_owned()),
        (None, Some(directory)) => ("DATA_DIR", directory),
        (None, None) if root => ("DATA_DIR", PathBuf::from("/var/lib/crucible")),
        (None, None) => {
            let base = set("XDG_DATA_HOME")
                .filter(|base| base.is_absolute())
                .or_else(|| set("HOME").map(|home| home.join(".local/share")));
            ("DATA_DIR", base.map(|base| base.join("crucible")).unwrap_or_default())
        }
    };
    // Every path that is handed on has to mean the same in a child with another working directory.
    std::path::absolute(&directory).map_err(|_| InvalidSetting::Malformed {
        name,
        value: directory.display().to_string(),
        problem: String::from("must name a directory (there is no HOME to take a default from)"),
    })
}

fn languages(found: &Found) -> Result<Vec<Language>, InvalidSetting> {
    let mut languages = Vec::new();
    for name in found.value.split(',').map(str::trim) {
        let language = Language::find(name).ok_or_else(|| {
            let [others @ .., last] = Language::ALL.map(Language::name);
            let choice = format!("{} and {last}", others.join(", "));
            found.refuse(&format!("must be a comma-separated choice of {choice}"))
        })?;
        if !languages.contains(&language) {
            languages.push(language);
        }
    }
    Ok(languages)
}

/// A worker on this machine is ours to start; one elsewhere is not.
fn worker_place(found: &Found) -> Result<WorkerPlace, InvalidSetting> {
    let url = found.value.as_str();
    if let Some(path) = url.strip_prefix("unix:") {
        return if Path::new(path).is_absolute() {
            Ok(WorkerPlace::Local(String::from(url)))
        } else {
            Err(found.refuse("the path after unix: must be absolute"))
        };
    }
    let authority = url
        .strip_prefix("http://")
        .map(|rest| rest.trim_end_matches('/'))
        .filter(|authority| !authority.is_empty() && !authority.contains('/'))
        .ok_or_else(|| {
            found.refuse("must look like http://host:50051 or unix:/path/to/worker.sock")
        })?;
    let here = authority.replace("localhost", "127.0.0.1");
    match here.parse::<std::net::SocketAddr>() {
        Ok(address) if address.port() == 0 => Err(found.refuse("must name a port other than 0")),
        Ok(address) if address.ip().is_loopback() => Ok(WorkerPlace::Local(here)),
        Ok(_) | Err(_) => Ok(WorkerPlace::Elsewhere(String::from(url))),
    }
}
