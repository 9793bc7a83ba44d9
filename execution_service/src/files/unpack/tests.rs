use proptest::prelude::*;
use tokio_tar::{Builder, EntryType, Header};

use super::entry::{below, stays_inside};
use super::*;
use crate::files::sandbox;
use crate::sandbox::backend::Sandbox;
use crate::sandbox::fake::FakeBackend;
use crate::sandbox::files::Root;

fn path(text: &str) -> FilePath {
    FilePath::parse(Vec::from(text)).expect("a path")
}

/// An archive of these: kind, name, target, content. Names are written as they are.
async fn archive(entries: &[(EntryType, &str, &str, &[u8])]) -> Vec<u8> {
    let mut archive = Builder::new(Vec::new());
    for (kind, name, target, content) in entries {
        let mut header = Header::new_gnu();
        let gnu = header.as_gnu_mut().expect("it is one");
        gnu.name[..name.len()].copy_from_slice(name.as_bytes());
        gnu.linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_mode(0o640);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1);
        header.set_size(content.len() as u64);
        header.set_entry_type(*kind);
        header.set_cksum();
        archive.append(&header, *content).await.expect("room");
    }
    archive.into_inner().await.expect("room")
}

async fn into(
    sandbox: &dyn Sandbox,
    directory: Option<&str>,
    archive: &[u8],
) -> Result<Unpacked, UnpackError> {
    unpack(sandbox, directory.map(path).as_ref(), archive, 1 << 20).await
}

const FILE: EntryType = EntryType::Regular;

#[tokio::test]
async fn what_may_be_unpacked_is() {
    let backend = FakeBackend::of_kernels();
    let sandbox = sandbox(&backend).await;
    let inside = backend.sandbox(0);
    let mut sent = archive(&[
        (EntryType::Directory, "./", "", b""),
        (EntryType::Directory, "./d/", "", b""),
        (FILE, "./d/file", "", b"content"),
        (EntryType::Link, "same", "./d/file", b""),
        (FILE, "empty", "", b""),
    ])
    .await;
    // As `tar` does.
    sent.resize(sent.len().next_multiple_of(10_240), 0);
    let done = into(&*sandbox, Some("in/here"), &sent).await.expect("a good one");
    assert_eq!(done, Unpacked { files: 3, directories: 1, links: 0, bytes: 14 });
    let paths = ["in/here/d/file", "in/here/empty", "in/here/same"];
    assert_eq!(inside.paths(Root::Workspace), paths);
    assert_eq!(inside.file(Root::Workspace, paths[2]).expect("a copy").0, b"content");
    sandbox.end().await;
}

#[tokio::test]
async fn what_would_leave_or_never_end_is_refused() {
    let backend = FakeBackend::of_kernels();
    let sandbox = sandbox(&backend).await;
    let inside = backend.sandbox(0);
    for (entry, why) in [
        ((FILE, "../out", "", &b"x"[..]), "'..'"),
        ((FILE, "a/../../out", "", b"x"), "'..'"),
        ((FILE, "/etc/passwd", "", b"x"), "relative"),
        ((FILE, ".//etc/passwd", "", b"x"), "relative"),
        ((EntryType::Symlink, "link", "/etc", b""), "leads out"),
        ((EntryType::Symlink, "link", "..", b""), "leads out"),
        ((EntryType::Symlink, "a/link", "b/../../../c", b""), "leads out"),
        ((EntryType::Link, "same", "../file", b""), "leads out"),
        ((EntryType::Link, "same", "/file", b""), "leads out"),
        ((EntryType::Fifo, "fifo", "", b""), "neither"),
        ((EntryType::Char, "device", "", b""), "neither"),
        ((EntryType::Block, "device", "", b""), "neither"),
        ((EntryType::GNUSparse, "sparse", "", b""), ""),
    ] {
        match into(&*sandbox, None, &archive(&[entry]).await).await {
            Err(UnpackError::Refused(text)) => assert!(text.contains(why), "{entry:?}: {text}"),
            other => panic!("{entry:?}: {other:?}"),
        }
    }
    // Cut off, no archive at all, more than there is room for, and a name as long as memory.
    let good = archive(&[(FILE, "file", "", &[7; 3000])]).await;
    for bad in [&good[..2000], &good[..700], &good[1..], b"no archive, and shorter than a block"] {
        let refused = into(&*sandbox, None, bad).await;
        assert!(matches!(refused, Err(UnpackError::Refused(_))), "{refused:?}");
    }
    let large = unpack(&*sandbox, None, &*good, 2999).await;
    let too_large = matches!(&large, Err(UnpackError::File { error: FileError::TooLarge, .. }));
    assert!(too_large, "{large:?}");
    for kind in [EntryType::GNULongName, EntryType::GNULongLink, EntryType::XHeader] {
        let endless = archive(&[(kind, "x", "", &vec![b'x'; 1 << 20]), (FILE, "a", "", b"")]).await;
        let refused = into(&*sandbox, None, &endless).await;
        assert!(matches!(refused, Err(UnpackError::Refused(_))), "{kind:?}: {refused:?}");
    }
    let many: Vec<_> =
        (0..=MOST_ENTRIES).map(|_| (EntryType::Directory, "d", "", &b""[..])).collect();
    let refused = into(&*sandbox, None, &archive(&many).await).await;
    assert!(matches!(refused, Err(UnpackError::Refused(_))), "{refused:?}");
    assert_eq!(inside.paths(Root::Workspace), Vec::<String>::new(), "and nothing was written");
    sandbox.end().await;
}

proptest! {
    #[test]
    fn a_name_leads_below_its_directory_or_nowhere(
        name in prop::collection::vec(prop_oneof![Just(b'/'), Just(b'.'), any::<u8>()], 0..30),
    ) {
        let directory = path("some/where");
        if let Ok(Some(found)) = below(Some(&directory), &name) {
            let rest = found.as_bytes().strip_prefix(b"some/where/");
            prop_assert!(rest.is_some_and(|rest| !rest.is_empty()));
            prop_assert_eq!(below(None, &name).map(|path| path.map(|path| path.depth() + 2)), Ok(Some(found.depth())));
        }
    }

    #[test]
    fn a_target_is_inside_if_no_part_of_it_is_above(
        names in prop::collection::vec(prop_oneof![Just("a"), Just(".."), Just("."), Just("")], 1..12),
    ) {
        let target = names.join("/");
        let mut depth = 2_i32;
        let mut lowest = depth;
        for name in &names {
            depth += match *name { ".." => -1, "a" => 1, _ => 0 };
            lowest = lowest.min(depth);
        }
        let expected = lowest >= 0 && !target.is_empty() && !target.starts_with('/');
        prop_assert_eq!(stays_inside(&path("x/y/link"), target.as_bytes()), expected);
    }

    #[test]
    fn any_bytes_are_unpacked_or_refused(
        mut bytes in prop::collection::vec(any::<u8>(), 0..3000),
        name in prop::collection::vec(any::<u8>(), 0..100),
        kind: u8,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let mut header = Header::new_gnu();
            let gnu = header.as_gnu_mut().expect("it is one");
            gnu.name[..name.len()].copy_from_slice(&name);
            header.set_entry_type(EntryType::new(kind));
            header.set_mode(0o644);
            header.set_size(bytes.len() as u64);
            header.set_cksum();
            let mut sent = Vec::from(header.as_bytes());
            sent.append(&mut bytes);
            let backend = FakeBackend::of_kernels();
            let sandbox = sandbox(&backend).await;
            let _ = into(&*sandbox, None, &sent).await;
            sandbox.end().await;
        });
    }
}
