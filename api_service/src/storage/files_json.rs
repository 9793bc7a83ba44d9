//! Files of a report as they are kept in its column. A path is a text where it is UTF-8, and else a list of its
//! bytes.

use serde::{Deserialize, Serialize};

use crate::domain::artifact::{
    Artifact, Change, Changes, Collected, FileChange, FilePath, Omitted, OmittedReason,
};
use crate::domain::timestamp::Timestamp;

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum PathRow {
    Text(String),
    Bytes(Vec<u8>),
}

#[derive(Serialize, Deserialize)]
pub(super) struct ArtifactRow {
    path: PathRow,
    size: u64,
    until_ms: i64,
}

#[derive(Serialize, Deserialize)]
struct OmittedRow {
    path: PathRow,
    size: u64,
    reason: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct CollectedRow {
    artifacts: Vec<ArtifactRow>,
    omitted: Vec<OmittedRow>,
    truncated: bool,
}

#[derive(Serialize, Deserialize)]
struct ChangeRow {
    path: PathRow,
    change: String,
    size: Option<u64>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ChangesRow {
    files: Vec<ChangeRow>,
    truncated: bool,
}

impl From<FilePath> for PathRow {
    fn from(FilePath(bytes): FilePath) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::Text(text),
            Err(error) => Self::Bytes(error.into_bytes()),
        }
    }
}

impl PathRow {
    fn read(self) -> FilePath {
        match self {
            Self::Text(text) => FilePath(text.into_bytes()),
            Self::Bytes(bytes) => FilePath(bytes),
        }
    }
}

impl From<Artifact> for ArtifactRow {
    fn from(Artifact { path, size, until }: Artifact) -> Self {
        Self { path: path.into(), size, until_ms: until.millis() }
    }
}

impl ArtifactRow {
    pub(super) fn read(self) -> Artifact {
        let Self { path, size, until_ms } = self;
        Artifact { path: path.read(), size, until: Timestamp::from_millis(until_ms) }
    }
}

impl From<Collected> for CollectedRow {
    fn from(Collected { artifacts, omitted, truncated }: Collected) -> Self {
        let omitted = omitted.into_iter().map(|Omitted { path, size, reason }| OmittedRow {
            path: path.into(),
            size,
            reason: reason.name().to_owned(),
        });
        let artifacts = artifacts.into_iter().map(ArtifactRow::from).collect();
        Self { artifacts, omitted: omitted.collect(), truncated }
    }
}

impl CollectedRow {
    /// `None` when it names a reason that does not exist.
    pub(super) fn read(self) -> Option<Collected> {
        let Self { artifacts, omitted, truncated } = self;
        let omitted = omitted.into_iter().map(|OmittedRow { path, size, reason }| {
            Some(Omitted { path: path.read(), size, reason: OmittedReason::parse(&reason)? })
        });
        let artifacts = artifacts.into_iter().map(ArtifactRow::read).collect();
        Some(Collected { artifacts, omitted: omitted.collect::<Option<_>>()?, truncated })
    }
}

impl From<Changes> for ChangesRow {
    fn from(Changes { files, truncated }: Changes) -> Self {
        let files = files.into_iter().map(|FileChange { path, change, size }| ChangeRow {
            path: path.into(),
            change: change.name().to_owned(),
            size,
        });
        Self { files: files.collect(), truncated }
    }
}

impl ChangesRow {
    /// `None` when it names a change that does not exist.
    pub(super) fn read(self) -> Option<Changes> {
        let Self { files, truncated } = self;
        let files = files.into_iter().map(|ChangeRow { path, change, size }| {
            Some(FileChange { path: path.read(), change: Change::parse(&change)?, size })
        });
        Some(Changes { files: files.collect::<Option<_>>()?, truncated })
    }
}
