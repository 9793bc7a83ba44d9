use std::collections::BTreeMap;

use futures::StreamExt;
use tokio::io::AsyncReadExt;
use tokio_tar::Archive;

use super::*;
use crate::files::sandbox;
use crate::sandbox::fake::FakeBackend;
use crate::sandbox::files::{FileMode, FileStatus, Moment, Root};

/// Names and contents of the regular files in an archive.
async fn files_in(archive: &[u8]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut archive = Archive::new(archive);
    let mut entries = archive.entries().expect("an archive");
    let mut found = BTreeMap::new();
    while let Some(entry) = entries.next().await {
        let mut entry = entry.expect("an entry");
        let name = entry.path_bytes().expect("a name").into_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).await.expect("all of it");
        if entry.header().entry_type().is_file() {
            found.insert(name, content);
        }
    }
    found
}

#[tokio::test]
async fn an_archive_has_all_that_is_there() {
    let backend = FakeBackend::of_kernels();
    let sandbox = sandbox(&backend).await;
    let inside = backend.sandbox(0);
    let mut put = BTreeMap::new();
    let long = "long/".repeat(60);
    for (name, size) in [("a", 0), ("b/c", 512), ("b/d", 700_000), (&*format!("b/{long}x"), 513)] {
        let content: Vec<u8> = (0..=u8::MAX).cycle().take(size).collect();
        inside.put_file(Root::Workspace, name, &content, FileMode::Regular);
        put.insert(Vec::from(name), content);
    }
    let whole = async |directory: Option<&FilePath>| {
        let mut packer = Packer::begin(&*sandbox, directory).await.expect("a directory");
        let mut archive = Vec::new();
        while let Some(piece) = packer.next().await.expect("a piece") {
            assert!(piece.len() <= 3 * MOST_OF_A_PIECE);
            archive.extend(piece);
        }
        assert_eq!(archive.len() % 512, 0);
        files_in(&archive).await
    };
    assert!(whole(None).await == put);
    let directory = FilePath::parse(Vec::from("b")).expect("a path");
    let below: BTreeMap<_, _> = put
        .iter()
        .filter_map(|(name, content)| Some((name.strip_prefix(b"b/")?.into(), content.clone())))
        .collect();
    assert!(whole(Some(&directory)).await == below);
    sandbox.end().await;
}

proptest::proptest! {
    #[test]
    fn any_name_and_target_is_in_its_header(
        name in proptest::collection::vec(1..=u8::MAX, 1..400),
        target in proptest::option::of(proptest::collection::vec(1..=u8::MAX, 1..400)),
    ) {
        let names = name.split(|byte| *byte == b'/');
        let plain = |name: &[u8]| !matches!(name, b"" | b"." | b"..");
        proptest::prop_assume!(names.clone().all(plain));
        let kind = if target.is_some() { FileKind::Symlink } else { FileKind::Directory };
        let moment = Moment { seconds: 7, nanos: 0 };
        let status =
            FileStatus { kind, size: 9, mode: 0o750, modified: moment, changed: moment, inode: 1 };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let mut header = header::of(&name, &status, target.as_deref());
            assert_eq!(header.len() % 512, 0);
            header.extend([0; END]);
            let mut archive = Archive::new(&*header);
            let mut entries = archive.entries().expect("an archive");
            let entry = entries.next().await.expect("an entry").expect("a good one");
            assert_eq!(entry.path_bytes().expect("a name").as_ref(), name);
            assert_eq!(entry.link_name_bytes().expect("none or one").as_deref(), target.as_deref());
            assert_eq!((entry.header().mode().ok(), entry.header().mtime().ok()), (Some(0o750), Some(7)));
            drop(entry);
            assert!(entries.next().await.is_none());
        });
    }
}
