//! The Python environment with numpy, pandas and matplotlib: the one that `cargo run` uses.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::{Context, anyhow};
use execution_service::language::discovery::{SandboxUser, discover};
use execution_service::language::python::PYTHON;
use standalone::data_directory::DataDirectory;
use standalone::provision::{Making, Packages, Progress, Recipe};
use standalone::settings::Settings;

/// Finds the environment in the usual data directory, or makes it there, as the launcher would. It
/// takes a minute to make and is the only thing that outlives a benchmark.
pub fn environment(launcher: &Path) -> anyhow::Result<PathBuf> {
    let root = rustix::process::geteuid().is_root();
    let lookup = |name: &str| std::env::var_os(name);
    let directory = Settings::read(&settings::Given::default(), lookup, root)?.data_directory;
    let found = discover(&[PYTHON], None, sandbox_user()).found;
    let python =
        found.into_iter().next().context("there is no Python for the sandboxes")?.toolchain;
    let recipe = Recipe { python, packages: Packages::minimal(), launcher: launcher.to_owned() };
    if let Some(environment) = recipe.existing(&directory) {
        return Ok(environment);
    }
    eprintln!("installing numpy, pandas and matplotlib below {}, once", directory.display());
    // Other users than root have to be able to read it.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let directory = DataDirectory::open(&directory, root)?;
    let mut progress = |step: Progress<'_>| eprintln!("  {step:?}");
    let mut making = Making { progress: &mut progress, stop: &AtomicBool::new(false) };
    recipe.make(directory.path(), &mut making).map_err(|error| anyhow!(error))
}

/// Who the sandboxes are on this machine, as in the launcher.
pub fn sandbox_user() -> SandboxUser {
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
    if uid.is_root() {
        // Any id that owns nothing on this machine.
        SandboxUser { uid: 100_000, gid: 100_000 }
    } else {
        SandboxUser { uid: uid.as_raw(), gid: gid.as_raw() }
    }
}
