//! Which Python environment the worker is given.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::bail;
use execution_service::language::discovery::{
    Discovery, Missing, SandboxUser, Search, Sharing, discover_in,
};
use execution_service::language::python::PYTHON;
use execution_service::sandbox::linux::FIRST_HOST_ID;

use super::report;
use crate::data_directory::DataDirectory;
use crate::provision::{REQUIREMENTS, Recipe};
use crate::settings::{Settings, WorkerPlace};

/// What the sandboxes' Python will have.
#[derive(Debug, Default)]
pub(super) struct Python {
    /// The complete environment below the data directory; `None` where the operator has one of their
    /// own, or where sandboxes run the bare interpreter or none.
    pub(super) environment: Option<PathBuf>,
    /// Why it is the bare interpreter although packages were wanted, and what to do about it.
    pub(super) bare: Option<String>,
}

impl Python {
    /// Tells the operator at once: what the next steps print would hide it.
    fn bare(reason: String) -> Self {
        report::bare_python(&reason);
        Self { environment: None, bare: Some(reason) }
    }
}

/// Finds the environment, or makes it now if need be and allowed.
///
/// # Errors
/// An interpreter or environment that the operator has named and that would not do: the worker would
/// refuse it, only later.
pub(super) fn prepare(
    settings: &Settings,
    directory: &DataDirectory,
    launcher: &Path,
    root: bool,
) -> anyhow::Result<Python> {
    let here = match settings.worker {
        WorkerPlace::Private | WorkerPlace::Local(_) => true,
        WorkerPlace::Elsewhere(_) => false,
    };
    if !here || !settings.languages.contains(&PYTHON) {
        return Ok(Python::default());
    }
    let sharing = Sharing::from_env(sandbox_user(root));
    let operators = operators_environment().map(PathBuf::from);
    let search = Search::from_env(&[PYTHON]);
    let Discovery { found, missing, passed_over: _ } =
        discover_in(&search, &sharing, &[PYTHON], operators.as_deref());
    if let Some(Missing { language, reason, remedy, .. }) = missing.iter().find(|it| it.named) {
        bail!("{language} cannot be run: {reason}; {remedy}");
    }
    // What is missing otherwise is told by the worker itself, with all the other languages.
    let Some(python) = found.first().map(|found| &found.toolchain) else {
        return Ok(Python::default());
    };
    if python.environment.is_some() {
        // The operator has named it, and its packages are their business.
        return Ok(Python::default());
    }
    let recipe = Recipe { python, requirements: REQUIREMENTS, launcher };
    let existing = recipe.existing(directory.path());
    if existing.is_none() && !settings.provision {
        return Ok(Python::default());
    }
    if let Err(barrier) = sharing.check(directory.path()) {
        return Ok(Python::bare(format!(
            "programs could not see packages in the data directory, because {barrier}; choose \
             another --data-dir, or name an environment of your own by PYTHON_ENVIRONMENT"
        )));
    }
    if existing.is_some() {
        return Ok(Python { environment: existing, bare: None });
    }
    report::provisioning(python);
    match recipe.make(directory.path(), &mut report::provisioning_step) {
        Ok(environment) => Ok(Python { environment: Some(environment), bare: None }),
        Err(error) => Ok(Python::bare(format!("{error}; the next start tries again"))),
    }
}

/// The environment that an earlier start has made, as a service would use it.
pub(crate) fn existing(settings: &Settings, launcher: &Path, root: bool) -> Option<PathBuf> {
    let sharing = Sharing::from_env(sandbox_user(root));
    let found = discover_in(&Search::from_env(&[PYTHON]), &sharing, &[PYTHON], None).found;
    let python = found.first().map(|found| &found.toolchain);
    let python = python.filter(|python| python.environment.is_none())?;
    let recipe = Recipe { python, requirements: REQUIREMENTS, launcher };
    sharing.check(&settings.data_directory).ok()?;
    recipe.existing(&settings.data_directory)
}

/// What the worker is told already: it reads the variable itself.
fn operators_environment() -> Option<OsString> {
    let environment = PYTHON.descriptor().virtual_environment?;
    std::env::var_os(environment.variable)
}

/// Who the sandboxes will be on this host.
fn sandbox_user(root: bool) -> SandboxUser {
    if root {
        // Any id from the range that root's sandboxes are mapped to: it owns nothing here.
        SandboxUser { uid: FIRST_HOST_ID, gid: FIRST_HOST_ID }
    } else {
        SandboxUser {
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
        }
    }
}
