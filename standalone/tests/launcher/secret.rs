//! Secrets: made once, readable by nobody else, kept.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use standalone::secret::{SecretError, load_or_make};
use tempfile::TempDir;

#[test]
fn a_second_start_keeps_the_secret_and_only_its_owner_can_read_it() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("secret_key");

    let first = load_or_make(&path).expect("made");
    let second = load_or_make(&path).expect("read");

    assert_eq!(first, second);
    assert_eq!(first.len(), 64);
    let mode = fs::metadata(&path).expect("it exists").permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let names: Vec<_> = fs::read_dir(directory.path()).expect("a directory").collect();
    assert_eq!(names.len(), 1, "nothing unfinished is left beside it");
}

#[test]
fn two_secrets_differ() {
    let directory = TempDir::new().expect("a directory");
    let one = load_or_make(&directory.path().join("one")).expect("made");
    let other = load_or_make(&directory.path().join("other")).expect("made");
    assert_ne!(one, other);
}

#[test]
fn a_secret_that_others_can_read_is_refused() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("secret_key");
    load_or_make(&path).expect("made");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("chmod");
    assert!(matches!(load_or_make(&path), Err(SecretError::Exposed { mode: 0o644, .. })));
}

#[test]
fn a_damaged_secret_is_not_silently_replaced() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("secret_key");
    load_or_make(&path).expect("made");
    fs::write(&path, "changeme").expect("write");
    assert!(matches!(load_or_make(&path), Err(SecretError::Damaged { .. })));
    assert_eq!(fs::read_to_string(&path).expect("read"), "changeme");
}
