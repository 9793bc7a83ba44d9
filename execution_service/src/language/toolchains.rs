//! What a machine has of all languages at one time. Everything that is started with it finds the same
//! programs by their names; what begins later may find others.

use std::path::{Path, PathBuf};

use super::descriptor::Language;
use super::discovery::{Discovery, Found, Missing};
use super::environment::search_path;
use super::toolchain::Toolchain;
use crate::sandbox::spec::Command;

/// The languages that were found, and what is the same for all that is started with them.
#[derive(Clone, Debug)]
pub struct Toolchains {
    /// Languages found.
    pub found: Vec<Found>,
    /// The rest of the wanted languages.
    pub missing: Vec<Missing>,
    /// What zygotes load beforehand.
    pub libraries: Vec<String>,
    /// `PATH` of every process in a sandbox: whichever language starts it, `python3` is the same one.
    path: String,
}

impl Toolchains {
    /// Those that were found. Zygotes load `preload`, or what is usual of what is installed.
    pub fn new(discovery: &Discovery, preload: Option<&[String]>) -> Self {
        let Discovery { found, missing, passed_over: _ } = discovery;
        let usual = || {
            let usual = found.iter().map(|Found { language, toolchain }| {
                language.usual_libraries(Some(&toolchain.packages))
            });
            usual.flatten().collect()
        };
        let libraries = preload.map_or_else(usual, <[String]>::to_vec);
        Self { path: path(found), libraries, found: found.clone(), missing: missing.clone() }
    }

    /// The same, but for a virtual environment at `place` that may not be there yet. Its packages are not known:
    /// zygotes load `preload`, or whatever is usual and turns out to be there. `None` where no language is here
    /// that has such environments.
    pub fn with_environment(&self, place: &Path, preload: Option<&[String]>) -> Option<Self> {
        let mut found = self.found.clone();
        let (language, kind, toolchain) = found.iter_mut().find_map(|found| {
            let kind = found.language.descriptor().virtual_environment?;
            Some((found.language, kind, &mut found.toolchain))
        })?;
        let bare = Toolchain::bare(place.join(kind.executable), toolchain.version.clone());
        *toolchain = Toolchain { environment: Some(place.to_owned()), ..bare };
        let libraries = preload.map_or_else(|| language.usual_libraries(None), <[String]>::to_vec);
        Some(Self { path: path(&found), libraries, found, missing: self.missing.clone() })
    }

    /// The same, with what is now known of one of them. `None` unless it is where it was expected.
    pub fn with(&self, known: Found) -> Option<Self> {
        let mut all = self.clone();
        let expected = all.found.iter_mut().find(|it| it.language == known.language)?;
        if expected.toolchain.executable != known.toolchain.executable {
            return None;
        }
        *expected = known;
        Some(all)
    }

    /// What runs `language`.
    pub fn get(&self, language: Language) -> Option<&Toolchain> {
        let found = self.found.iter().find(|found| found.language == language);
        found.map(|found| &found.toolchain)
    }

    /// Path of what runs `language`.
    pub fn executable(&self, language: Language) -> Option<&str> {
        self.get(language)?.executable.to_str()
    }

    /// Each language, with the path of its interpreter or compiler.
    pub fn executables(&self) -> impl Iterator<Item = (Language, &str)> {
        self.found.iter().filter_map(|it| Some((it.language, it.toolchain.executable.to_str()?)))
    }

    /// Directories outside of the system's own that must be in the sandboxes: sorted, none twice.
    pub fn roots(&self) -> Vec<PathBuf> {
        let mut roots: Vec<_> =
            self.found.iter().flat_map(|found| found.toolchain.roots.clone()).collect();
        roots.sort();
        roots.dedup();
        roots
    }

    /// Has `command`, and what it starts, find all of them by their names.
    pub fn make_found_by(&self, command: &mut Command) {
        command.env.insert(String::from("PATH"), self.path.clone());
    }
}

fn path(found: &[Found]) -> String {
    search_path(found.iter().map(|found| found.toolchain.executable.as_path()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::bash::BASH;
    use crate::language::environment;
    use crate::language::python::PYTHON;
    use crate::sandbox::spec::{ControlChannel, Stdin, WORKSPACE};

    fn toolchains() -> Toolchains {
        let found = [(PYTHON, "/opt/python/bin/python3.11"), (BASH, "/usr/bin/bash")];
        let found = found.map(|(language, executable)| Found {
            language,
            toolchain: Toolchain::bare(PathBuf::from(executable), String::from("3")),
        });
        Toolchains::new(&Discovery { found: found.to_vec(), ..Discovery::default() }, None)
    }

    fn path_of(toolchains: &Toolchains) -> String {
        let mut command = Command {
            program: String::from("bash"),
            args: Vec::new(),
            env: environment("", &[]),
            working_directory: String::from(WORKSPACE),
            stdin: Stdin::Null,
            control: ControlChannel::None,
        };
        toolchains.make_found_by(&mut command);
        command.env["PATH"].clone()
    }

    #[test]
    fn whoever_is_started_finds_the_same_interpreters() {
        let now = toolchains();
        assert!(path_of(&now).starts_with("/opt/python/bin:/usr/"), "{}", path_of(&now));
        let next = now.with_environment(Path::new("/data/python/new"), None).expect("it has one");
        let found = path_of(&next);
        assert!(found.starts_with("/data/python/new/bin:/usr/"), "{found}");
        assert_eq!(next.get(BASH), now.get(BASH));
    }

    #[test]
    fn what_is_announced_is_what_comes() {
        let now = toolchains();
        let place = Path::new("/data/python/new");
        let next = now.with_environment(place, None).expect("it has one");
        assert!(next.libraries.contains(&String::from("numpy")), "it may have it");
        assert!(now.libraries.is_empty(), "this one has not");
        let preload = [String::from("mine")];
        let told = now.with_environment(place, Some(&preload)).expect("it has one");
        assert_eq!(told.libraries, preload);

        let known = |executable: &str| {
            let mut toolchain = Toolchain::bare(PathBuf::from(executable), String::from("3.11.2"));
            toolchain.packages.insert(String::from("scipy"), String::from("1.16"));
            Found { language: PYTHON, toolchain }
        };
        let come = next.with(known("/data/python/new/bin/python3")).expect("as announced");
        assert_eq!(come.get(PYTHON).map(|python| python.packages.len()), Some(1));
        assert_eq!((come.libraries, come.path), (next.libraries.clone(), next.path.clone()));
        assert!(next.with(known("/elsewhere/bin/python3")).is_none());
    }
}
