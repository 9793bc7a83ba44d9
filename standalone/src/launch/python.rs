//! Which Python environment the worker is given.

use std::path::{Path, PathBuf};

use execution_service::language::Language;
use execution_service::language::discovery::{Surroundings, Visitor, discover_in};
use execution_service::sandbox::linux::FIRST_HOST_ID;

use super::report;
use crate::data_directory::DataDirectory;
use crate::provision::{REQUIREMENTS, Recipe};
use crate::settings::{Settings, WorkerPlace};

/// The complete environment below the data directory; made now if need be and allowed. `None`
/// means that the operator has an environment of their own, or that sandboxes run the bare
/// interpreter or none, and the operator has been told why.
pub(super) fn environment(
    settings: &Settings,
    directory: &DataDirectory,
    launcher: &Path,
    root: bool,
) -> Option<PathBuf> {
    let here = match settings.worker {
        WorkerPlace::Private | WorkerPlace::Local(_) => true,
        WorkerPlace::Elsewhere(_) => false,
    };
    if !here || !settings.languages.contains(&Language::Python) || operators_environment() {
        return None;
    }
    let visitor = visitor(root);
    let surroundings = Surroundings::from_env();
    // What is missing is told by the worker itself, with all the other languages.
    let found = discover_in(&surroundings, &[Language::Python], None, visitor).found;
    let python = found.first()?;
    if python.environment.is_some() {
        // PYTHON_EXECUTABLE named it, and its packages are the operator's business.
        return None;
    }
    let recipe = Recipe { python, requirements: REQUIREMENTS, launcher };
    let existing = recipe.existing(directory.path());
    if existing.is_none() && !settings.provision {
        return None;
    }
    let seen = surroundings.uncovered(directory.path());
    if let Err(barrier) = seen.and_then(|()| visitor.reach(directory.path())) {
        report::bare_python(&format!("{barrier}; choose another --data-dir"));
        return None;
    }
    if existing.is_some() {
        return existing;
    }
    report::provisioning(python);
    match recipe.make(directory.path(), &mut report::provisioning_step) {
        Ok(environment) => Some(environment),
        Err(error) => {
            report::bare_python(&format!("{error}; the next start tries again"));
            None
        }
    }
}

/// The environment that an earlier start has made, as a service would use it.
pub(crate) fn existing(settings: &Settings, launcher: &Path, root: bool) -> Option<PathBuf> {
    let (visitor, surroundings) = (visitor(root), Surroundings::from_env());
    let found = discover_in(&surroundings, &[Language::Python], None, visitor).found;
    let python = found.first().filter(|python| python.environment.is_none())?;
    let recipe = Recipe { python, requirements: REQUIREMENTS, launcher };
    surroundings.uncovered(&settings.data_directory).ok()?;
    visitor.reach(&settings.data_directory).ok()?;
    recipe.existing(&settings.data_directory)
}

/// Whether the worker is told of an environment already: it reads the variable itself.
fn operators_environment() -> bool {
    std::env::var_os("PYTHON_ENVIRONMENT").is_some()
}

/// Who the sandboxes will be on this host.
fn visitor(root: bool) -> Visitor {
    if root {
        // Any id from the range that root's sandboxes are mapped to: it owns nothing here.
        Visitor { uid: FIRST_HOST_ID, gid: FIRST_HOST_ID }
    } else {
        Visitor {
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
        }
    }
}
