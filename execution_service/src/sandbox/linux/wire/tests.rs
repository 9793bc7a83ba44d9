use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::LazyJust;
use serde::de::DeserializeOwned;

use super::failure::Failure;
use super::files::{FilesReply, Found, Listed};
use super::init::{FirstWord, FromInit, InitReply, InitUsage, SetUp, ToInit};
use super::spawner::{FromSpawner, ToSpawner};
use super::zygote::{FromZygote, ToZygote};
use crate::sandbox::backend::ProcessEnd;
use crate::sandbox::files::{FileError, FileKind, FileStatus, Moment, Written};
use crate::sandbox::linux::host::disk::Disk;
use crate::sandbox::spec::Exit;

fn end() -> impl Strategy<Value = ProcessEnd> {
    let exit = prop_oneof![any::<i32>().prop_map(Exit::Code), any::<i32>().prop_map(Exit::Signal)];
    (exit, any::<Duration>(), any::<u64>()).prop_map(|(exit, cpu, peak_memory_bytes)| ProcessEnd {
        exit,
        cpu,
        peak_memory_bytes,
    })
}

fn status() -> impl Strategy<Value = FileStatus> {
    let kind = prop_oneof![
        LazyJust::new(|| FileKind::Regular),
        LazyJust::new(|| FileKind::Directory),
        LazyJust::new(|| FileKind::Symlink),
        LazyJust::new(|| FileKind::Special),
    ];
    let moment = any::<(i64, u32)>().prop_map(|(seconds, nanos)| Moment { seconds, nanos });
    (kind, any::<(u64, u32, u64)>(), moment).prop_map(|(kind, (size, mode, inode), modified)| {
        FileStatus { kind, size, mode, modified, changed: modified, inode }
    })
}

fn listed() -> impl Strategy<Value = Listed> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..40);
    let found = move || {
        (bytes(), status(), proptest::option::of(bytes()))
            .prop_map(|(name, status, target)| Found { name, status, target })
    };
    let entries = || proptest::collection::vec(found(), 0..5);
    prop_oneof![
        entries().prop_map(|entries| Listed::Whole { entries }),
        (entries(), any::<u64>()).prop_map(|(entries, next)| Listed::Part { entries, next }),
        any::<i32>().prop_map(|errno| Listed::Failed(FileError::Other(errno))),
    ]
}

fn about_files() -> impl Strategy<Value = FilesReply> {
    let written = (status(), any::<bool>())
        .prop_map(|(status, created)| FilesReply::Written(Written { status, created }));
    prop_oneof![
        written,
        status().prop_map(FilesReply::Status),
        proptest::option::of(status()).prop_map(|replaces| FilesReply::Begun { replaces }),
        any::<bool>().prop_map(|made| FilesReply::Made { made }),
        LazyJust::new(|| FilesReply::Failed(FileError::Full)),
    ]
}

fn from_init() -> impl Strategy<Value = FromInit> {
    let usage = (any::<(u64, bool, u32, u64)>(), any::<(u64, Duration)>()).prop_map(
        |((bytes, full, processes, memory_bytes), (largest_ended, cpu))| {
            let disk = Disk { bytes, full };
            InitUsage { disk, processes, memory_bytes, largest_ended, cpu }
        },
    );
    let failure = (".*", any::<i32>()).prop_map(|(stage, errno)| Failure { stage, errno });
    let reply = prop_oneof![
        any::<i32>().prop_map(|pid| InitReply::Started { pid }),
        LazyJust::new(|| InitReply::Done),
        (any::<u64>(), proptest::collection::vec(any::<u8>(), 0..200))
            .prop_map(|(size, chunk)| InitReply::Content { size, chunk }),
        usage.prop_map(InitReply::Usage),
        any::<(u64, u64)>().prop_map(|(bytes, of_tcp)| InitReply::Sockets { bytes, of_tcp }),
        any::<u64>().prop_map(InitReply::Locks),
        any::<bool>().prop_map(|everything| InitReply::Killed { everything }),
        proptest::collection::vec(listed(), 0..5).prop_map(InitReply::Tree),
        about_files().prop_map(InitReply::Files),
        failure.prop_map(InitReply::Failed),
    ];
    prop_oneof![
        (any::<u64>(), reply).prop_map(|(sequence, reply)| FromInit::Reply { sequence, reply }),
        (any::<i32>(), end()).prop_map(|(pid, end)| FromInit::Ended { pid, end }),
    ]
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    postcard::from_bytes(bytes).ok()
}

proptest! {
    #[test]
    fn any_bytes_are_a_message_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode::<ToInit>(&bytes);
        let _ = decode::<FirstWord>(&bytes);
        let _ = decode::<FromInit>(&bytes);
        let _ = decode::<ToSpawner>(&bytes);
        let _ = decode::<FromSpawner>(&bytes);
        let _ = decode::<ToZygote>(&bytes);
        let _ = decode::<FromZygote>(&bytes);
        let _ = decode::<SetUp>(&bytes);
    }

    #[test]
    fn a_message_comes_whole_or_not_at_all(message in from_init()) {
        let bytes = postcard::to_stdvec(&message).expect("room");
        let decoded = decode::<FromInit>(&bytes).map(|decoded| format!("{decoded:?}"));
        prop_assert_eq!(decoded, Some(format!("{message:?}")));
        for length in 0..bytes.len() {
            prop_assert!(decode::<FromInit>(&bytes[..length]).is_none(), "{} bytes", length);
        }
    }
}
