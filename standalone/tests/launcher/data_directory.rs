//! The data directory: one launcher at a time, and its modes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use standalone::data_directory::{DataDirectory, DataDirectoryError};
use tempfile::TempDir;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it exists").permissions().mode() & 0o7777
}

/// Opens a directory that was let go of just now. A child that another test has forked at that
/// moment holds a copy of the lock's descriptor until it executes its program.
fn open_again(path: &Path) -> DataDirectory {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match DataDirectory::open(path, false) {
            Err(DataDirectoryError::InUse { .. }) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            opened => return opened.expect("free again"),
        }
    }
}

#[test]
fn a_second_launcher_is_refused_and_told_who_is_there() {
    let parent = TempDir::new().expect("a directory");
    let path = parent.path().join("data");
    let first = DataDirectory::open(&path, false).expect("free");
    first.describe_holder("pid 4711, http://127.0.0.1:8000").expect("written");

    let refused = DataDirectory::open(&path, false).expect_err("in use");
    assert!(matches!(refused, DataDirectoryError::InUse { .. }));
    let text = refused.to_string();
    assert!(text.contains("pid 4711, http://127.0.0.1:8000") && text.contains("--data-dir"));

    drop(first);
    open_again(&path);
}

#[test]
fn for_root_the_sandboxes_may_pass_through_and_for_users_nobody_may() {
    let parent = TempDir::new().expect("a directory");
    for (shared, expected) in [(true, 0o755), (false, 0o700)] {
        let path = parent.path().join(format!("{shared}/data"));
        let directory = DataDirectory::open(&path, shared).expect("made");
        assert_eq!(mode(&path), expected);
        assert_eq!(mode(&directory.run()), 0o700);
    }
}

#[test]
fn the_database_is_its_owners_alone_from_the_beginning() {
    let parent = TempDir::new().expect("a directory");
    let path = parent.path().join("50% off?");
    let directory = DataDirectory::open(&path, true).expect("made");

    let url = directory.database_url().expect("made");

    assert!(url.ends_with("/50%25 off%3F/crucible.db"), "{url}");
    assert_eq!(mode(&path.join("crucible.db")), 0o600);
    assert_eq!(mode(&path.join("lock")), 0o600);
    fs::write(path.join("crucible.db"), "content").expect("write");
    directory.database_url().expect("again");
    assert_eq!(fs::read_to_string(path.join("crucible.db")).expect("read"), "content");
}

#[test]
fn what_a_killed_launcher_left_in_run_is_removed() {
    let parent = TempDir::new().expect("a directory");
    let directory = DataDirectory::open(parent.path(), false).expect("made");
    let stale = directory.run().join("gateway.address");
    fs::write(&stale, "127.0.0.1:1").expect("write");
    drop(directory);

    open_again(parent.path());

    assert!(!stale.exists());
}

#[test]
fn what_a_killed_launcher_left_is_removed_and_told_with_its_number() {
    let parent = TempDir::new().expect("a directory");
    let path = parent.path().join("data");
    let first = DataDirectory::open(&path, false).expect("free");
    assert_eq!(first.left_behind(), None, "nobody was there before");
    first.describe_holder("pid 4711, http://127.0.0.1:8000").expect("written");
    let socket = first.run().join("worker.sock");
    fs::write(&socket, "").expect("written");
    // Without a word, as the kernel does it.
    drop(first);

    let second = open_again(&path);

    let left = second.left_behind().expect("it was there");
    assert_eq!(left.holder, "pid 4711, http://127.0.0.1:8000");
    assert_eq!((&left.files, socket.exists()), (&vec![socket.clone()], false));
}
