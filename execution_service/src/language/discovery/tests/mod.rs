//! Discovery against made-up machines: directories of small shell scripts that answer as shims,
//! strangers and old versions do.

mod environment;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::language::bash::BASH;
use crate::language::c::C;
use crate::language::node::NODE;
use crate::language::python::PYTHON;
use crate::language::toolchain::probe::ask_within;

/// Somebody who owns nothing here: only the permissions for everybody count.
const STRANGER: SandboxUser = SandboxUser { uid: 4_000_000, gid: 4_000_000 };

/// A machine with nothing but what a test puts into it.
struct Machine {
    directory: TempDir,
}

impl Machine {
    /// In a place that strangers can get to, which a private `TMPDIR` is not.
    fn new() -> Self {
        let places = [std::env::temp_dir(), "/tmp".into(), "/var/tmp".into()];
        let public = places.iter().find(|place| STRANGER.reach(place).is_ok());
        let directory = TempDir::new_in(public.expect("/tmp is for everybody")).expect("writable");
        open(directory.path(), 0o755);
        Self { directory }
    }

    fn program(&self, path: &str, script: &str) -> PathBuf {
        let path = self.directory.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        // Written by a child: a descriptor of ours that is open for writing, inherited by another
        // test's fork at the wrong moment, would make the script "busy".
        let made = std::process::Command::new("/bin/sh")
            .args(["-c", r#"printf '#!/bin/sh\n%s\n' "$1" > "$0" && chmod 755 "$0""#])
            .arg(&path)
            .arg(script)
            .status()
            .expect("a shell");
        assert!(made.success());
        path
    }

    fn search(&self) -> Search {
        Search { path: vec![self.directory.path().join("bin")], ..Search::default() }
    }

    fn find(&self, language: Language) -> Discovery {
        discover_in(&self.search(), &shared_with(STRANGER), &[language], None)
    }
}

/// On a machine without a home, and with nothing that a sandbox covers.
fn shared_with(user: SandboxUser) -> Sharing {
    Sharing { user, home: None, covered: Vec::new() }
}

fn open(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("permissions");
}

fn node_saying(executable: &Path, version: &str) -> String {
    let executable = executable.display();
    format!(
        r#"echo '{{"executable":"{executable}","version":"{version}","typescript":false,"parser":true}}'"#
    )
}

fn only_missing(discovery: &Discovery) -> &Missing {
    assert_eq!(discovery.found, []);
    assert_eq!(discovery.missing.len(), 1);
    &discovery.missing[0]
}

#[test]
fn a_shim_is_resolved_to_what_it_starts() {
    let machine = Machine::new();
    let real = machine.program("versions/20/bin/node", "exit 0");
    machine.program("bin/node", &node_saying(&real, "20.1.0"));

    let discovery = machine.find(NODE);

    let found = &discovery.found[0].toolchain;
    assert_eq!(found.executable, real);
    assert_eq!(found.version, "20.1.0");
    assert_eq!(found.roots, [machine.directory.path().join("versions/20")]);
    assert!(discovery.missing.is_empty());
}

#[test]
fn one_in_a_private_home_is_passed_over_for_a_reachable_one() {
    let machine = Machine::new();
    let hidden = machine.program("home/versions/22/bin/node", "exit 0");
    machine.program("bin/node", &node_saying(&hidden, "22.0.0"));
    open(&machine.directory.path().join("home"), 0o700);
    let public = machine.directory.path().join("opt/node/bin/node");
    machine.program("opt/node/bin/node", &node_saying(&public, "20.0.0"));
    let mut search = machine.search();
    search.well_known = vec![machine.directory.path().join("opt/node/bin")];

    let discovery = discover_in(&search, &shared_with(STRANGER), &[NODE], None);

    assert_eq!(discovery.found[0].toolchain.executable, public);
    assert!(matches!(discovery.passed_over[0].reason, Unsuitable::OutOfReach { mode: 0o700, .. }));
}

#[test]
fn when_only_a_private_one_exists_the_message_names_the_barrier_and_the_remedy() {
    let machine = Machine::new();
    let hidden = machine.program("home/bin/node", "exit 0");
    machine.program("bin/node", &node_saying(&hidden, "22.0.0"));
    let home = machine.directory.path().join("home");
    open(&home, 0o700);

    let discovery = machine.find(NODE);

    let missing = only_missing(&discovery);
    assert!(missing.reason.contains(&format!("behind {} (mode 0700)", home.display())));
    assert!(missing.remedy.contains("apt-get install nodejs"));
    assert!(missing.remedy.contains(&format!("chmod o+rx {}", home.display())));
}

#[test]
fn the_owner_of_a_private_home_may_use_what_is_in_it() {
    let machine = Machine::new();
    let real = machine.program("home/bin/node", "exit 0");
    machine.program("bin/node", &node_saying(&real, "22.0.0"));
    let home = machine.directory.path().join("home");
    open(&home, 0o700);
    let owner = std::os::unix::fs::MetadataExt::uid(&home.metadata().expect("metadata"));
    if owner == 0 {
        // Root's visitor is never root; and the way to a temporary directory may be private too.
        eprintln!("skipped: the_owner_of_a_private_home_may_use_what_is_in_it (needs a user)");
        return;
    }
    let owner = SandboxUser { uid: owner, gid: STRANGER.gid };

    let discovery = discover_in(&machine.search(), &shared_with(owner), &[NODE], None);

    assert_eq!(discovery.found[0].toolchain.executable, real);
}

#[test]
fn a_link_from_a_public_place_into_a_private_one_is_seen_through() {
    let machine = Machine::new();
    machine.program("home/node", "exit 0");
    let link = machine.directory.path().join("link");
    std::os::unix::fs::symlink(machine.directory.path().join("home/node"), &link).expect("a link");
    open(&machine.directory.path().join("home"), 0o700);

    assert!(matches!(STRANGER.reach(&link), Err(Unsuitable::OutOfReach { need: "enter", .. })));
}

#[test]
fn strangers_and_old_versions_are_told_apart() {
    let machine = Machine::new();
    machine.program("bin/gcc", "echo 'clang version 14.0.6' >&2");
    let old = machine.directory.path().join("bin/node");
    machine.program("bin/node", &node_saying(&old, "16.20.0"));
    machine.program("bin/bash", "printf '%s\\n' /bin/bash 4 4 20");
    machine.program("bin/python3", "echo 'pyenv: python3: command not found' >&2; exit 127");

    let reason = |language| only_missing(&machine.find(language)).reason.clone();

    assert!(reason(C).contains("does not answer like gcc"));
    assert!(reason(NODE).contains("version 16.20.0, and 18 is the oldest"));
    assert!(reason(BASH).contains("version 4.4.20, and 5 is the oldest"));
    assert!(reason(PYTHON).contains("127): pyenv: python3: command not found"));
}

#[test]
fn an_empty_machine_says_what_to_install() {
    let machine = Machine::new();
    for language in Language::ALL {
        let remedy = language.descriptor().install;
        let discovery = machine.find(language);
        let missing = only_missing(&discovery);
        assert!(missing.reason.starts_with("no "), "{}", missing.reason);
        assert!(missing.remedy.starts_with(remedy), "{}", missing.remedy);
        assert!(!missing.named);
    }
}

#[test]
fn an_override_that_would_not_do_is_not_replaced_by_something_else() {
    let machine = Machine::new();
    let good = machine.directory.path().join("bin/node");
    machine.program("bin/node", &node_saying(&good, "20.0.0"));
    let mut search = machine.search();
    for (named, reason) in [
        ("/no/such/node", "/no/such/node: it cannot be started"),
        ("bin/node", "bin/node: it is not an absolute path"),
    ] {
        search.named.insert(NODE, PathBuf::from(named));
        let discovery = discover_in(&search, &shared_with(STRANGER), &[NODE], None);
        let missing = only_missing(&discovery);
        assert!(missing.reason.starts_with(reason), "{}", missing.reason);
        assert!(missing.remedy.contains("NODE_EXECUTABLE"));
        assert!(missing.named);
    }
}

#[test]
fn one_that_hangs_is_killed_with_its_children() {
    let machine = Machine::new();
    let hangs = machine.program("bin/node", "sleep 1000 & wait");

    let answer = ask_within(Duration::from_millis(50), &hangs, &[], "");

    assert!(matches!(answer, Err(Unsuitable::NoAnswer(_))));
}

#[test]
fn the_operators_environment_does_not_reach_a_candidate() {
    let machine = Machine::new();
    let program = machine.program("bin/tell", "env");

    let answer = ask_within(Duration::from_secs(10), &program, &[], "").expect("an answer");

    // cargo sets dozens for every test; PWD and `_` are the shell's own.
    let names: Vec<&str> =
        answer.stdout.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    for name in names {
        assert!(
            ["PATH", "HOME", "LC_ALL", "PWD", "_", "SHLVL", "OLDPWD"].contains(&name),
            "{name}"
        );
    }
}

#[test]
fn what_a_sandbox_covers_with_its_own_is_refused_by_name() {
    let machine = Machine::new();
    let node = machine.directory.path().join("bin/node");
    machine.program("bin/node", &node_saying(&node, "20.19.0"));
    let covered = vec![machine.directory.path().to_owned()];
    let sharing = Sharing { covered, ..shared_with(STRANGER) };
    let discovery = discover_in(&machine.search(), &sharing, &[NODE], None);
    let reason = &only_missing(&discovery).reason;
    assert!(reason.contains("every sandbox has a directory of its own"), "{reason}");
    let real = Sharing::from_env(STRANGER);
    for path in ["/tmp/venv", "/var/tmp/venv", "/dev/shm/python", "/home/user/.pyenv/versions/3.12"]
    {
        assert!(real.uncovered(Path::new(path)).is_err(), "{path}");
    }
    for path in ["/home/username/python", "/tmpfs/python", "/usr"] {
        assert!(real.uncovered(Path::new(path)).is_ok(), "{path}");
    }
    let link = machine.directory.path().join("link");
    std::os::unix::fs::symlink("/tmp", &link).expect("a link");
    let covered = vec![PathBuf::from("/tmp")];
    let elsewhere = Sharing { covered, ..shared_with(STRANGER) };
    let led = elsewhere.uncovered(&link);
    assert!(matches!(led, Err(Unsuitable::Covered { .. })), "a link leads there: {led:?}");
    let own = real.fit_to_share(Path::new("/opt/crucible"));
    assert!(matches!(own, Err(Unsuitable::Covering { .. })), "our kernels are in there: {own:?}");
}

#[test]
fn a_home_is_never_shared_as_a_whole() {
    let sharing = Sharing { home: Some(PathBuf::from("/srv/ann")), ..shared_with(STRANGER) };
    for wide in ["/", "/home", "/home/bob", "/root", "/srv/ann", "/srv", "/srv/ann/.local", "/opt"]
    {
        assert!(sharing.fit_to_share(Path::new(wide)).is_err(), "{wide}");
    }
    for fit in ["/opt/node", "/srv/ann/.nvm/versions/node/v20", "/home/bob/python-3.12"] {
        assert!(sharing.fit_to_share(Path::new(fit)).is_ok(), "{fit}");
    }
}

#[test]
fn the_real_machine_answers_for_what_it_has() {
    let discovery = discover(&Language::ALL, None, STRANGER);
    assert_eq!(discovery.found.len() + discovery.missing.len(), Language::ALL.len());
    for Found { toolchain, language: _ } in discovery.found {
        assert_eq!(toolchain.executable, toolchain.executable.canonicalize().expect("it exists"));
        assert!(toolchain.version.contains('.'));
    }
    for missing in discovery.missing {
        eprintln!("not on this machine: {}: {}", missing.language, missing.reason);
    }
}

proptest! {
    // Each case starts a program for each language.
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 16, ..ProptestConfig::default() })]

    #[test]
    fn a_candidate_may_print_anything(
        said in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..200),
            "(/[a-z]{0,3}|[0-9]{1,12}|\n|\\.|COLLECT_GCC=){0,12}".prop_map(String::into_bytes),
            "[{\\[]{0,300}".prop_map(String::into_bytes),
        ],
    ) {
        let machine = Machine::new();
        let text = machine.directory.path().join("said");
        fs::write(&text, said).expect("room");
        for name in Language::ALL.map(|language| language.descriptor().executables[0]) {
            let script = format!("cat '{0}'; cat '{0}' >&2", text.display());
            machine.program(&format!("bin/{name}"), &script);
        }
        let found = discover_in(&machine.search(), &shared_with(STRANGER), &Language::ALL, None).found;
        prop_assert!(found.iter().all(|found| found.toolchain.executable.is_absolute()));
    }
}
