//! Where a service of our own can live on this machine, and what it is told.

use std::ffi::OsString;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::AttackError;

/// What would make it another service than one of our own. Everything else of the environment is
/// handed on, so that what is attacked is what the operator would run.
const NOT_HANDED_ON: [&str; 17] = [
    "DATA_DIR",
    "HOST",
    "PORT",
    "LISTEN",
    "ADDRESS_FILE",
    "DATABASE_URL",
    "JOURNAL_DIR",
    "EXECUTION_SERVICE_URL",
    "SECRET_KEY",
    "INTERNAL_AUTH_TOKEN",
    "ADMIN_USERNAME",
    "ADMIN_PASSWORD",
    "METRICS_ADDRESS",
    "LOG_FORMAT",
    "CORS_ORIGINS",
    "CRUCIBLE_TOKEN",
    "CRUCIBLE_OTHER_TOKEN",
];

/// Made for the attack: the number of warm sandboxes stays the same, and nobody signs in twice.
const FIXED: [(&str, &str); 3] =
    [("INITIAL_POOL_SIZE", "2"), ("MAX_POOL_SIZE", "2"), ("ACCESS_TOKEN_EXPIRE_MINUTES", "1440")];

/// Only where the operator says nothing. Few enough sessions that hoarding ends soon; and hosts that may be asked
/// for, so that the rules behind the lists are met: all names, and addresses that nobody may reach.
const USUAL: [(&str, &str); 2] = [
    ("MAX_SESSIONS_PER_OWNER", "16"),
    (
        "EGRESS_ALLOW",
        "*,127.0.0.1,169.254.169.254,100.100.100.200,168.63.129.16,10.0.0.1,[::1],[::ffff:127.0.0.1],\
         [64:ff9b::7f00:1],[2002:7f00:1::1],[fd00:ec2::254]",
    ),
];

/// The virtual environment with the packages of Python.
const PYTHON: &str = "PYTHON_ENVIRONMENT";

/// The variables of the service. `python` is the environment that a service here would have, unless the
/// operator names another.
pub(super) fn variables(python: Option<&Path>) -> Vec<(OsString, OsString)> {
    let named = |name: &OsString, list: &[&str]| list.iter().any(|one| name == one);
    let fixed = FIXED.map(|(name, _)| name);
    let mut variables: Vec<(OsString, OsString)> = std::env::vars_os()
        .filter(|(name, _)| !named(name, &NOT_HANDED_ON) && !named(name, &fixed))
        .collect();
    let pair = |(name, value): (&str, &str)| (OsString::from(name), OsString::from(value));
    variables.extend(FIXED.map(pair));
    for usual in USUAL {
        if !variables.iter().any(|(name, _)| name == usual.0) {
            variables.push(pair(usual));
        }
    }
    if let Some(python) = python
        && !variables.iter().any(|(name, _)| name == PYTHON)
    {
        variables.push((OsString::from(PYTHON), OsString::from(python)));
    }
    variables
}

/// A directory that the sandboxes' users can enter. Not `/tmp`, which every sandbox has its own of,
/// and not a home.
pub(super) fn scratch() -> Result<TempDir, AttackError> {
    let given = std::env::var_os("DATA_DIR").map(PathBuf::from).filter(|path| path.is_dir());
    let places = [given, Some("/var/tmp".into()), Some("/var/lib".into()), Some("/srv".into())];
    let places: Vec<PathBuf> = places.into_iter().flatten().collect();
    let root = rustix::process::geteuid().is_root();
    let mode = Permissions::from_mode(if root { 0o755 } else { 0o700 });
    let made = places.iter().find_map(|place| {
        tempfile::Builder::new()
            .prefix("crucible-attack-")
            .permissions(mode.clone())
            .tempdir_in(place)
            .ok()
    });
    made.ok_or_else(|| {
        AttackError::NoDirectory(places.iter().map(|place| place.display().to_string()).collect())
    })
}
