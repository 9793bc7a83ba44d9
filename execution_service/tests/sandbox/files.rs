//! The files of a workspace.

use std::io;

use execution_service::sandbox::backend::{Sandbox, SandboxError};
use execution_service::sandbox::files::{FileKind, FilePath};

use crate::output_of;

fn path(path: &[u8]) -> FilePath {
    FilePath::parse(Vec::from(path)).expect("a path")
}

pub async fn trees_are_listed(sandbox: &dyn Sandbox) {
    let script = "mkdir -p a/b/c; echo 12345 > a/b/file; touch $'a/\\xff\\n'; ln -s /etc/passwd a/out; \
                  mkfifo a/pipe; ln -s .. a/b/c/up; ln -s a to-a; mkdir many; touch many/{1..3000}";
    output_of(sandbox, script).await;
    let tree = sandbox.tree(Some(&path(b"a")), 9, 100).await.expect("a directory");
    let found: Vec<_> = tree
        .entries
        .iter()
        .map(|entry| (entry.path.as_bytes(), entry.status.kind, entry.target.as_deref()))
        .collect();
    let expected = [
        (&b"a/b"[..], FileKind::Directory, None),
        (b"a/b/c", FileKind::Directory, None),
        (b"a/b/c/up", FileKind::Symlink, Some(&b".."[..])),
        (b"a/b/file", FileKind::Regular, None),
        (b"a/out", FileKind::Symlink, Some(b"/etc/passwd")),
        (b"a/pipe", FileKind::Special, None),
        (b"a/\xff\n", FileKind::Regular, None),
    ];
    assert_eq!((found.as_slice(), tree.truncated), (&expected[..], false));
    assert_eq!(tree.entries[3].status.size, 6);

    let top = sandbox.tree(None, 1, 100).await.expect("the workspace");
    assert_eq!((top.entries.len(), top.truncated), (3, false));
    let by_link = sandbox.tree(Some(&path(b"to-a/b/c/up")), 1, 100).await.expect("a/b");
    assert_eq!(by_link.entries.len(), 2);
    let many = sandbox.tree(None, 2, 2000).await.expect("the workspace");
    assert_eq!((many.entries.len(), many.truncated), (2000, true));
    assert_eq!(many.entries.iter().filter(|entry| entry.path.depth() == 1).count(), 3);
    let all = sandbox.tree(Some(&path(b"many")), 1, 5000).await.expect("many");
    assert_eq!((all.entries.len(), all.truncated), (3000, false));

    // Deeper than a path is long, and a directory that nobody may list.
    let script = "mkdir deep; cd deep; for i in {1..40}; do n=$(printf %0200d $i); mkdir $n; cd $n; done; \
                  cd /workspace; mkdir shut; touch shut/in; chmod 0 shut";
    output_of(sandbox, script).await;
    let deep = sandbox.tree(Some(&path(b"deep")), 4096, 1000).await.expect("deep");
    assert!((19..40).contains(&deep.entries.len()) && deep.truncated, "{}", deep.entries.len());
    let shut = sandbox.tree(Some(&path(b"shut")), 1, 10).await;
    assert!(matches!(shut, Err(SandboxError::File { .. })), "{shut:?}");

    let refused = async |name: &[u8]| match sandbox.tree(Some(&path(name)), 1, 10).await {
        Err(SandboxError::File { source, .. }) => source.kind(),
        other => panic!("{}: {other:?}", name.escape_ascii()),
    };
    assert_eq!(refused(b"a/b/file").await, io::ErrorKind::NotADirectory);
    assert_eq!(refused(b"nothing").await, io::ErrorKind::NotFound);
    assert_eq!(refused(b"a/out").await, io::ErrorKind::CrossesDevices);
}
