//! Each kind of thing that can be left is found.

use std::process::{Child, Command, Stdio};

use super::*;

/// This process stands for the launcher: what it starts is below it.
fn place(data: &Path) -> RunningService {
    RunningService { launcher: std::process::id(), data: data.to_owned() }
}

fn sleeper() -> Child {
    Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().expect("sleep is there")
}

/// As `ResourceCounts::now`, of one child alone: other tests of this executable start processes, too.
fn of(child: &Child, data: &Path) -> ResourceCounts {
    ResourceCounts::now(&RunningService { launcher: child.id(), data: data.to_owned() })
}

#[test]
fn a_process_that_is_left_is_found_and_named_and_its_end_is_noticed() {
    let data = tempfile::tempdir().expect("a directory");
    let mut shell = Command::new("sh")
        .args(["-c", "sleep 600 & read _; kill $!; wait; read _"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("a shell");
    let pid = shell.id();
    // A fork that has not executed `sleep` yet is there already, and still called `sh`.
    let started = wait_for(|| of(&shell, data.path()).processes.contains_key("sleep"));
    let before = of(&shell, data.path());
    let nothing = ResourceCounts { processes: BTreeMap::new(), ..before.clone() };

    let found = before.since(&nothing);

    use std::io::Write;
    let mut stdin = shell.stdin.take().expect("it is piped");
    let below = descendants(pid);
    stdin.write_all(b"\n").expect("it reads");
    let left = gone(&below, &[], Duration::from_secs(20));
    drop(stdin);
    shell.wait().expect("it ends");
    assert!(started);
    assert!(found[0].contains("sleep 1 before 0"), "{found:?}");
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn what_does_not_end_is_named() {
    let mut child = sleeper();
    let data = tempfile::tempdir().expect("a directory");
    let left = gone(&[child.id()], &[data.path().to_owned()], Duration::ZERO);
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert_eq!(left.len(), 2, "{left:?}");
    assert_eq!(gone(&[child.id()], &[], Duration::ZERO), Vec::<String>::new());
}

#[test]
fn bytes_that_are_left_are_found_and_the_databases_are_not_counted() {
    let data = tempfile::tempdir().expect("a directory");
    let before = storage::bytes_below(data.path());
    std::fs::create_dir(data.path().join("journal")).expect("made");
    for growing in ["crucible.db", "crucible.db-wal", "journal/1.log"] {
        std::fs::write(data.path().join(growing), "x").expect("written");
    }
    assert_eq!(storage::bytes_below(data.path()), before);

    std::fs::create_dir(data.path().join("run")).expect("made");
    std::fs::write(data.path().join("run/left"), "12345").expect("written");
    assert_eq!(storage::bytes_below(data.path()), before + 5);
}

#[test]
fn namespaces_cgroups_mounts_and_open_files_that_are_left_are_found() {
    let data = tempfile::tempdir().expect("a directory");
    let before = ResourceCounts::now(&place(data.path()));
    let mut after = before.clone();
    after.namespaces.insert(String::from("net"), 7);
    after.cgroups += 1;
    after.mounts.insert(String::from("tmpfs on /left"));
    after.descriptors.insert(String::from("pipe"), 1000);
    after.bytes += 1;

    let found = after.since(&before).join("\n");

    for part in ["net 7", "cgroups", "new mounts: tmpfs on /left", "pipe 1000", "bytes"] {
        assert!(found.contains(part), "{part}: {found}");
    }
    assert_eq!(before.since(&before), Vec::<String>::new());
}

fn wait_for(done: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !done() && Instant::now() < deadline {
        std::thread::sleep(POLL);
    }
    done()
}
