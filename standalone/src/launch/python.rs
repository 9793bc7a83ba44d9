//! Which Python environment the worker is given.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::bail;
use execution_service::language::discovery::{
    Discovery, Missing, SandboxUser, Search, Sharing, discover_in,
};
use execution_service::language::python::PYTHON;
use execution_service::sandbox::linux::FIRST_HOST_ID;

use super::bar::Bar;
use super::report;
use crate::data_directory::DataDirectory;
use crate::provision::{Making, Packages, ProvisionError, Recipe};
use crate::settings::{Settings, WorkerPlace};

/// What the sandboxes' Python will have.
#[derive(Debug, Default)]
pub(super) struct Python {
    /// A complete environment below the data directory; `None` where the operator has one of their
    /// own, or where sandboxes run the bare interpreter or none.
    pub(super) environment: Option<PathBuf>,
    /// Why it is the bare interpreter although packages were wanted, and what becomes of that.
    pub(super) bare: Option<String>,
    /// What it will have later.
    pub(super) coming: Option<Coming>,
}

/// An environment that is made while everything serves.
#[derive(Clone, Debug)]
pub(super) struct Coming {
    /// How.
    pub(super) recipe: Recipe,
    /// Where: a directory, empty so far.
    pub(super) place: PathBuf,
}

/// The interpreter that packages are installed for, and what is installed.
struct Wanted {
    sharing: Sharing,
    recipe: Recipe,
}

impl Wanted {
    /// The minimal packages for the same interpreter.
    fn minimal(&self) -> Recipe {
        Recipe { packages: Packages::minimal(), ..self.recipe.clone() }
    }

    /// Of what is there, what is wanted most.
    fn existing(&self, data_directory: &Path) -> Option<PathBuf> {
        let minimal = || self.minimal().existing(data_directory);
        self.recipe.existing(data_directory).or_else(minimal)
    }
}

/// Finds the environment, or makes it now if need be and allowed: at least the minimal packages, of which there is soon
/// something to be had. The rest is coming.
///
/// # Errors
/// An interpreter, environment or list that the operator has named and that would not do.
pub(super) fn prepare(
    settings: &Settings,
    directory: &DataDirectory,
    launcher: &Path,
    root: bool,
) -> anyhow::Result<Python> {
    let Some(wanted) = wanted(settings, launcher, root)? else {
        return Ok(Python::default());
    };
    let data = directory.path();
    let existing = wanted.existing(data);
    if existing.is_none() && !settings.provision {
        return Ok(Python::default());
    }
    if let Err(barrier) = wanted.sharing.check(data) {
        let reason = format!(
            "programs could not see packages in the data directory, because {barrier}; choose \
             another --data-dir, or name an environment of your own by PYTHON_ENVIRONMENT"
        );
        // At once: what the next steps print would hide it.
        report::bare_python(&reason);
        return Ok(Python { bare: Some(reason), ..Python::default() });
    }
    let whole = wanted.recipe.existing(data).is_some();
    if whole || !settings.provision {
        return Ok(Python { environment: existing, ..Python::default() });
    }
    let (environment, bare) = match existing {
        Some(minimal) => (Some(minimal), None),
        None => match make_minimal(&wanted.minimal(), data) {
            Ok(minimal) => (Some(minimal), None),
            Err(error) => {
                let reason = format!("{error}; it is tried again while Crucible runs");
                report::bare_python(&reason);
                (None, Some(reason))
            }
        },
    };
    let Wanted { recipe, .. } = wanted;
    // These were all.
    if recipe.existing(data).is_some() {
        return Ok(Python { environment, ..Python::default() });
    }
    let place = recipe.announce(data)?;
    Ok(Python { environment, bare, coming: Some(Coming { recipe, place }) })
}

fn make_minimal(minimal: &Recipe, data: &Path) -> Result<PathBuf, ProvisionError> {
    report::provisioning(&minimal.python);
    let stop = AtomicBool::new(false);
    let mut bar = Bar::new("minimal");
    minimal.make(data, &mut Making { progress: &mut |step| bar.show(step), stop: &stop })
}

/// What is wanted of Python on this machine; nothing where another one decides about it, or where there is none.
fn wanted(settings: &Settings, launcher: &Path, root: bool) -> anyhow::Result<Option<Wanted>> {
    let here = match settings.worker {
        WorkerPlace::Private | WorkerPlace::Local(_) => true,
        WorkerPlace::Elsewhere(_) => false,
    };
    if !here || !settings.languages.contains(&PYTHON) {
        return Ok(None);
    }
    let sharing = Sharing::from_env(sandbox_user(root));
    let operators = operators_environment().map(PathBuf::from);
    let search = Search::from_env(&[PYTHON]);
    let Discovery { found, missing, passed_over: _ } =
        discover_in(&search, &sharing, &[PYTHON], operators.as_deref());
    if let Some(Missing { language, reason, remedy, .. }) = missing.iter().find(|it| it.named) {
        bail!("{language} cannot be run: {reason}; {remedy}");
    }
    let packages = settings.packages.packages().map_err(anyhow::Error::msg)?;
    // What is missing otherwise is told by the worker itself, with all the other languages. An environment that the
    // operator has named is their business, with its packages.
    let python = found.into_iter().next().map(|found| found.toolchain);
    let python = python.filter(|python| python.environment.is_none());
    let launcher = launcher.to_owned();
    Ok(python.map(|python| Wanted { sharing, recipe: Recipe { python, packages, launcher } }))
}

/// The environment that an earlier start has made, as a service would use it.
pub(crate) fn existing(settings: &Settings, launcher: &Path, root: bool) -> Option<PathBuf> {
    // A service would say what is wrong with what the operator has named; here it means that there is none of ours.
    let wanted = wanted(settings, launcher, root).ok().flatten()?;
    wanted.sharing.check(&settings.data_directory).ok()?;
    wanted.existing(&settings.data_directory)
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
