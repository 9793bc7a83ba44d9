use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::list;
use crate::sandbox::files::{FileError, FileKind, FilePath};
use crate::sandbox::linux::wire::channel::MAX_PACKET;
use crate::sandbox::linux::wire::files::{DirectoryFrom, Found, Listed};
use crate::sandbox::linux::wire::init::{FromInit, InitReply};

fn path(text: &str) -> Option<FilePath> {
    (text != ".").then(|| FilePath::parse(Vec::from(text)).expect("a path"))
}

fn from(text: &str) -> DirectoryFrom {
    DirectoryFrom { path: path(text), from: 0 }
}

/// All that is in a directory, asked for as often as it takes, and how often that was.
fn whole(home: &Path, text: &str) -> (Vec<Found>, usize) {
    let workspace = File::open(home).expect("it is there");
    let (mut found, mut directory) = (Vec::new(), from(text));
    for times in 1..1000 {
        let mut listed = list(workspace.as_fd(), std::slice::from_ref(&directory));
        assert_eq!(listed.len(), 1);
        let reply = InitReply::Tree(listed.clone());
        let message = FromInit::Reply { sequence: u64::MAX, reply };
        assert!(postcard::to_stdvec(&message).expect("room").len() < MAX_PACKET);
        match listed.remove(0) {
            Listed::Whole { entries } => {
                found.extend(entries);
                found.sort_by(|one, other| one.name.cmp(&other.name));
                return (found, times);
            }
            Listed::Part { entries, next } => {
                found.extend(entries);
                directory.from = next;
            }
            Listed::Failed(error) => panic!("{error}"),
        }
    }
    panic!("it has no end")
}

#[test]
fn entries_come_with_what_is_known_of_them() {
    let home = tempfile::tempdir().expect("a directory");
    let name = std::ffi::OsStr::from_bytes(b"\xff new\nline");
    fs::write(home.path().join(name), b"12345").expect("room");
    fs::create_dir(home.path().join("folder")).expect("a folder");
    symlink("folder/../nowhere", home.path().join("link")).expect("a link");
    mkfifo(&home.path().join("pipe"), Mode::S_IRWXU).expect("a FIFO");
    let (found, _) = whole(home.path(), ".");
    let seen: Vec<_> =
        found.iter().map(|one| (&*one.name, one.status.kind, one.target.as_deref())).collect();
    let target = Some(&b"folder/../nowhere"[..]);
    let expected = [
        (&b"folder"[..], FileKind::Directory, None),
        (b"link", FileKind::Symlink, target),
        (b"pipe", FileKind::Special, None),
        (b"\xff new\nline", FileKind::Regular, None),
    ];
    assert_eq!(seen, expected);
    assert_eq!((found[3].status.size, found[3].status.mode & 0o600), (5, 0o600));
    assert_ne!(found[3].status.modified.seconds, 0);
}

#[test]
fn links_are_followed_only_below() {
    let home = tempfile::tempdir().expect("a directory");
    fs::create_dir_all(home.path().join("a/b")).expect("folders");
    fs::write(home.path().join("a/file"), b"").expect("room");
    symlink("../../a", home.path().join("a/b/up")).expect("a link");
    symlink("..", home.path().join("out")).expect("a link");
    symlink("/", home.path().join("root")).expect("a link");
    symlink("circle", home.path().join("circle")).expect("a link");
    assert_eq!(whole(home.path(), "a/b/up").0.len(), 2, "a, by a link");
    let workspace = File::open(home.path()).expect("it is there");
    for (text, error) in [
        ("out", FileError::OutOfWorkspace),
        ("root", FileError::OutOfWorkspace),
        ("root/etc", FileError::OutOfWorkspace),
        ("circle", FileError::OutOfWorkspace),
        ("missing", FileError::NotFound),
        ("a/file", FileError::NotADirectory),
    ] {
        let listed = list(workspace.as_fd(), &[from(text)]);
        let failed = |one: &Listed| matches!(one, Listed::Failed(is) if *is == error);
        assert!(listed.first().is_some_and(failed), "{text}: {listed:?}");
    }
}

#[test]
fn a_large_directory_takes_several_requests_and_loses_nothing() {
    let home = tempfile::tempdir().expect("a directory");
    for number in 0..1500 {
        fs::write(home.path().join(format!("{number:0>200}")), b"").expect("room");
    }
    let long = "x".repeat(4000);
    for number in 0..40 {
        symlink(&long, home.path().join(format!("link{number}"))).expect("a link");
    }
    let (found, times) = whole(home.path(), ".");
    let names: std::collections::BTreeSet<_> = found.iter().map(|one| one.name.clone()).collect();
    assert_eq!((found.len(), names.len()), (1540, 1540));
    assert!(times >= 4, "{times}");
}

#[test]
fn many_small_directories_come_with_one_request() {
    let home = tempfile::tempdir().expect("a directory");
    for number in 0..20 {
        fs::create_dir(home.path().join(number.to_string())).expect("a folder");
    }
    let workspace = File::open(home.path()).expect("it is there");
    let all: Vec<_> = (0..20).map(|number: u32| from(&number.to_string())).collect();
    assert_eq!(list(workspace.as_fd(), &all).len(), 20);
    let many: Vec<_> = all.iter().cycle().take(2000).cloned().collect();
    let answered = list(workspace.as_fd(), &many).len();
    assert!((100..2000).contains(&answered), "{answered}: each takes its time");
}
