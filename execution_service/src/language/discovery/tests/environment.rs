//! Virtual environments: served where they are named, looked through where they are found.

use std::collections::BTreeMap;

use super::*;

/// A virtual environment of this machine's Python with one package, `thing`; none without Python.
fn virtual_environment(machine: &Machine) -> Option<PathBuf> {
    let found = discover(&[PYTHON], None, STRANGER).found;
    let python = &found.first()?.toolchain;
    let environment = machine.directory.path().join("environment");
    let made = std::process::Command::new(&python.executable)
        .args(["-m", "venv", "--without-pip"])
        .arg(&environment)
        .status()
        .expect("python runs");
    assert!(made.success());
    let info = environment
        .join(format!("lib/python{}/site-packages/thing-1.5.dist-info", short(&python.version)));
    fs::create_dir_all(&info).expect("a directory");
    fs::write(info.join("METADATA"), "Metadata-Version: 2.1\nName: thing\nVersion: 1.5\n")
        .expect("a file");
    Some(environment)
}

#[test]
fn a_virtual_environment_is_served_where_it_is_named_and_only_there() {
    let machine = Machine::new();
    let Some(environment) = virtual_environment(&machine) else {
        eprintln!(
            "skipped: a_virtual_environment_is_served_where_it_is_named_and_only_there (no python3)"
        );
        return;
    };
    // As if it were where a sandbox could see it.
    let anywhere = Sharing { covered: Vec::new(), ..Sharing::from_env(STRANGER) };
    let search = Search::from_env(&[PYTHON]);
    let named = environment.join("bin/python");
    let overriding = Search { named: BTreeMap::from([(PYTHON, named.clone())]), ..search.clone() };
    let python = |search: &Search, environment: Option<&Path>| {
        let mut found = discover_in(search, &anywhere, &[PYTHON], environment).found;
        found.pop().expect("a Python").toolchain
    };

    let by_directory = python(&search, Some(&*environment));
    assert_eq!(by_directory.executable, environment.join("bin/python3"));
    let by_executable = python(&overriding, None);
    assert_eq!(by_executable.executable, named);
    for toolchain in [by_directory, by_executable] {
        assert_eq!(toolchain.environment.as_ref(), Some(&environment));
        assert!(toolchain.roots.contains(&environment));
        assert_eq!(toolchain.packages["thing"], "1.5");
    }

    let activated = Search { path: vec![environment.join("bin")], ..search };
    let bare = python(&activated, None);
    assert_eq!(bare.environment, None);
    assert!(!bare.executable.starts_with(&environment), "{bare:?}");
    assert!(!bare.packages.contains_key("thing"));
}

#[test]
fn an_unsuitable_environment_is_not_replaced_by_the_bare_interpreter() {
    let gone = Path::new("/no/such/environment");
    let discovery = discover(&[PYTHON], Some(gone), STRANGER);
    let missing = only_missing(&discovery);
    assert!(missing.reason.starts_with("/no/such/environment/bin/python3: it cannot be started"));
    assert!(missing.remedy.contains("PYTHON_ENVIRONMENT"), "{}", missing.remedy);
}

fn short(version: &str) -> &str {
    version.rsplit_once('.').map_or(version, |(short, _)| short)
}
