//! Files that runs leave, from the wire and to it.

use bytes::Bytes;
use proto::execution_v1 as wire;
use tonic::Status;

use super::from_wire;
use super::status::{invalid, status};
use super::to_wire::unix_millis;
use crate::execution::artifacts::{Artifact, Collected, Omitted, Patterns};
use crate::execution::changes::{Changes, FileChange};
use crate::execution::outputs::Kept;
use crate::sandbox::files::FilePath;
use crate::worker::WorkerError;

/// Which files are to be collected, if any.
pub fn patterns(patterns: &[String]) -> Result<Option<Patterns>, Status> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let parsed = Patterns::parse(patterns);
    parsed.map(Some).map_err(|error| invalid("collect", &error.to_string()))
}

/// Something that is kept of a run: the file of that path, or else that stream.
pub fn kept(stream: i32, artifact: Option<Bytes>) -> Result<Kept, Status> {
    match artifact {
        Some(path) => match FilePath::parse(path.into()) {
            Ok(path) => Ok(Kept::Artifact(path)),
            // Nothing is called that.
            Err(_) => Err(status(&WorkerError::OutputNotFound)),
        },
        None => from_wire::stream(stream).map(Kept::Stream),
    }
}

/// A file that is stored.
pub fn artifact(Artifact { path, size, until }: Artifact) -> wire::Artifact {
    wire::Artifact { path: Vec::from(path).into(), size, until_ms: unix_millis(until) }
}

/// What a run has collected.
pub fn collected(Collected { artifacts, omitted, truncated }: Collected) -> wire::Collected {
    let omitted = omitted.into_iter().map(|Omitted { path, size, reason }| wire::OmittedFile {
        path: Vec::from(path).into(),
        size,
        reason: String::from(reason.name()),
    });
    let artifacts = artifacts.into_iter().map(artifact).collect();
    wire::Collected { artifacts, omitted: omitted.collect(), truncated }
}

/// What a run has changed.
pub fn changes(Changes { files, truncated }: Changes) -> wire::Changes {
    let files = files.into_iter().map(|FileChange { path, change, size }| wire::ChangedFile {
        path: Vec::from(path).into(),
        change: String::from(change.name()),
        size,
    });
    wire::Changes { files: files.collect(), truncated }
}
