//! Files that an outcome tells of, from the wire to the domain.

use proto::execution_v1 as wire;

use super::Error;
use crate::domain::artifact::{
    Artifact, Change, Changes, Collected, FileChange, FilePath, Omitted, OmittedReason,
};
use crate::domain::timestamp::Timestamp;

/// Most files of a kind that are taken from a worker, which tells of fewer.
const MOST: usize = 1000;

pub(super) fn artifact(file: wire::Artifact) -> Artifact {
    let wire::Artifact { path, size, until_ms } = file;
    Artifact { path: FilePath(path.into()), size, until: Timestamp::from_millis(until_ms) }
}

pub(super) fn collected(collected: wire::Collected) -> Result<Collected, Error> {
    let wire::Collected { artifacts, omitted, truncated } = collected;
    if artifacts.len().max(omitted.len()) > MOST {
        return Err(Error::Malformed("more files than a worker collects"));
    }
    Ok(Collected {
        artifacts: artifacts.into_iter().map(artifact).collect(),
        omitted: omitted.into_iter().map(self::omitted).collect::<Result<_, _>>()?,
        truncated,
    })
}

fn omitted(file: wire::OmittedFile) -> Result<Omitted, Error> {
    let wire::OmittedFile { path, size, reason } = file;
    let reason = OmittedReason::parse(&reason).ok_or(Error::Malformed("a reason"))?;
    Ok(Omitted { path: FilePath(path.into()), size, reason })
}

pub(super) fn changes(changes: wire::Changes) -> Result<Changes, Error> {
    let wire::Changes { files, truncated } = changes;
    if files.len() > MOST {
        return Err(Error::Malformed("more changes than a worker tells"));
    }
    let files = files.into_iter().map(change).collect::<Result<_, _>>()?;
    Ok(Changes { files, truncated })
}

fn change(file: wire::ChangedFile) -> Result<FileChange, Error> {
    let wire::ChangedFile { path, change, size } = file;
    let change = Change::parse(&change).ok_or(Error::Malformed("a change"))?;
    Ok(FileChange { path: FilePath(path.into()), change, size })
}
