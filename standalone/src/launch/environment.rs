//! The environment of each service: nothing that is not named here gets into one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use ::settings::Refused;
use api_service::config;
use execution_service::config as worker_config;
use execution_service::language::Language;

use super::python::{Coming, Python};
use crate::data_directory::{DataDirectory, DataDirectoryError};
use crate::secret::{self, SecretError};
use crate::settings::{Settings, WorkerPlace};

/// Variables by name.
pub(super) type Variables = BTreeMap<String, OsString>;

/// What any process of ours may need to run at all.
const BASICS: [&str; 7] = ["PATH", "HOME", "LANG", "TERM", "TMPDIR", "RUST_BACKTRACE", "LOG_LEVEL"];
/// Only for making the first administrator, which the launcher does itself.
const ADMIN: [&str; 2] = ["ADMIN_USERNAME", "ADMIN_PASSWORD"];

/// `sun_path` without the zero at its end.
const LONGEST_SOCKET_PATH: usize = 107;

/// What the services are told.
pub(super) struct Environment {
    shared: Variables,
    gateway: Variables,
    worker: Variables,
}

/// Why the environment could not be put together.
#[derive(Debug, thiserror::Error)]
pub(super) enum EnvironmentError {
    /// A secret's file is unusable.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The database's file cannot be made.
    #[error(transparent)]
    DataDirectory(#[from] DataDirectoryError),
    /// A worker elsewhere knows a token that only the operator can give to both.
    #[error(
        "EXECUTION_SERVICE_URL names a worker on another machine: set INTERNAL_AUTH_TOKEN to that worker's"
    )]
    TokenOfTheWorkerElsewhere,
    /// The kernel has 108 bytes for a socket's path.
    #[error(
        "{0} is too long for a Unix socket's path: choose a shorter --data-dir, or set EXECUTION_SERVICE_URL=http://127.0.0.1:50051"
    )]
    PathTooLong(String),
}

impl Environment {
    /// From the settings, the secrets in the data directory (made now, if this is the first start)
    /// and the variables that are handed on.
    pub(super) fn gather(
        settings: &Settings,
        directory: &DataDirectory,
        python: &Python,
    ) -> Result<Self, EnvironmentError> {
        let Settings { host, port, log_format, worker, languages, .. } = settings;
        let path = directory.path();
        let mut shared = handed_on(BASICS);
        shared.insert("LOG_FORMAT".into(), log_format.name().into());
        if languages[..] != Language::ALL {
            // A worker elsewhere may have others: all of them are what nobody has restricted.
            let offered: Vec<&str> = languages.iter().map(|language| language.name()).collect();
            shared.insert("SUPPORTED_LANGUAGES".into(), offered.join(",").into());
        }
        let token = match std::env::var_os("INTERNAL_AUTH_TOKEN") {
            Some(token) => token,
            None if matches!(worker, WorkerPlace::Elsewhere(_)) => {
                return Err(EnvironmentError::TokenOfTheWorkerElsewhere);
            }
            None => secret::load_or_make(&path.join("internal_token"))?.into(),
        };
        shared.insert("INTERNAL_AUTH_TOKEN".into(), token);

        let (url, listen) = meeting_point(worker, &directory.run())?;
        // The gateway checks them; what is decided here replaces them.
        let mut gateway = handed_on(config::variables().into_iter().map(|variable| variable.name));
        ADMIN.iter().for_each(|name| drop(gateway.remove(*name)));
        gateway.insert("HOST".into(), host.to_string().into());
        gateway.insert("PORT".into(), port.to_string().into());
        gateway.insert("EXECUTION_SERVICE_URL".into(), url);
        let address_file = directory.run().join("gateway.address");
        gateway.insert("ADDRESS_FILE".into(), address_file.into());
        let key = match std::env::var_os("SECRET_KEY") {
            Some(key) => key,
            None => secret::load_or_make(&path.join("secret_key"))?.into(),
        };
        gateway.insert("SECRET_KEY".into(), key);
        let database = match std::env::var_os("DATABASE_URL") {
            Some(url) => url,
            None => directory.database_url()?.into(),
        };
        gateway.insert("DATABASE_URL".into(), database);

        let mut worker =
            handed_on(worker_config::variables().into_iter().map(|variable| variable.name));
        // Only the gateway is asked for its address.
        worker.remove("ADDRESS_FILE");
        worker.insert("LISTEN".into(), listen);
        // Made by the worker, for the user that it becomes.
        worker.entry("OUTPUT_DIR".into()).or_insert_with(|| path.join("outputs").into());
        if let Some(environment) = &python.environment {
            worker.insert("PYTHON_ENVIRONMENT".into(), environment.into());
        }
        if let Some(Coming { place, .. }) = &python.coming {
            worker.insert("PYTHON_ENVIRONMENT_NEXT".into(), place.into());
        }
        Ok(Self { shared, gateway, worker })
    }

    pub(super) fn gateway(&self) -> Variables {
        merged(&self.gateway, &self.shared)
    }

    pub(super) fn worker(&self) -> Variables {
        merged(&self.worker, &self.shared)
    }

    /// The gateway's settings as the gateway will read them, with the administrator that the
    /// operator may have named.
    pub(super) fn settings(&self) -> Result<config::Settings, Refused> {
        let variables = merged(&self.gateway(), &handed_on(ADMIN));
        config::Settings::from_lookup(|name| Some(String::from(variables.get(name)?.to_str()?)))
    }
}

/// The gateway's `EXECUTION_SERVICE_URL` and the worker's `LISTEN`.
fn meeting_point(
    worker: &WorkerPlace,
    run: &Path,
) -> Result<(OsString, OsString), EnvironmentError> {
    Ok(match worker {
        WorkerPlace::Private => {
            let socket = run.join("worker.sock");
            if socket.as_os_str().len() > LONGEST_SOCKET_PATH {
                return Err(EnvironmentError::PathTooLong(socket.display().to_string()));
            }
            let socket = format!("unix:{}", socket.display());
            (OsString::from(&socket), OsString::from(socket))
        }
        WorkerPlace::Local(place) if place.starts_with("unix:") => (place.into(), place.into()),
        WorkerPlace::Local(address) => (format!("http://{address}").into(), address.into()),
        WorkerPlace::Elsewhere(url) => (url.into(), OsString::new()),
    })
}

fn handed_on(names: impl IntoIterator<Item = impl Into<String>>) -> Variables {
    let set = |name: String| std::env::var_os(&name).map(|value| (name, value));
    names.into_iter().map(Into::into).filter_map(set).collect()
}

fn merged(first: &Variables, second: &Variables) -> Variables {
    first.iter().chain(second).map(|(name, value)| (name.clone(), value.clone())).collect()
}
