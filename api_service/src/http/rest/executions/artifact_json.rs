//! Files that an answer tells of.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::artifact::{
    Artifact, Change, Changes, Collected, FileChange, FilePath, Omitted, OmittedReason,
};
use crate::domain::files::encoded;
use crate::domain::ids::ExecutionId;
use crate::domain::model_text::Kept;
use crate::domain::timestamp::Timestamp;
use crate::http::rest::fields::{timestamp, words};

/// A file that can be fetched for a while.
#[derive(Debug, Serialize, ToSchema)]
pub struct ArtifactBody {
    /// Below the workspace. Bytes that are no UTF-8 are percent-encoded; `url` is exact in any case.
    #[schema(example = "plot.png")]
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// By its name.
    #[schema(example = "image/png")]
    pub mime: String,
    /// Where it can be fetched, also in ranges.
    #[schema(example = "/v1/code_interpreter/executions/exe_…/artifacts/plot.png")]
    pub url: String,
    /// Until when it is kept at most. It goes before when room is needed, or the worker ends.
    #[schema(format = DateTime)]
    pub until: String,
    /// True when that time has passed.
    pub expired: bool,
}

/// A file that was asked for and cannot be fetched.
#[derive(Debug, Serialize, ToSchema)]
pub struct OmittedBody {
    /// Below the workspace.
    pub path: String,
    /// In bytes, as the file system says.
    pub size: u64,
    /// Why.
    #[schema(schema_with = words::omitted_reason)]
    pub reason: &'static str,
}

/// What a run did to a file.
#[derive(Debug, Serialize, ToSchema)]
pub struct FileChangeBody {
    /// Below the workspace. Bytes that are no UTF-8 are percent-encoded.
    #[schema(example = "out.csv")]
    pub path: String,
    /// What was done.
    #[schema(schema_with = words::file_change)]
    pub change: &'static str,
    /// In bytes, when the run had ended; null when it was removed.
    #[schema(required)]
    pub size: Option<u64>,
}

/// The files that were to be collected: those that can be fetched; those that cannot, and whether there may be
/// more.
pub(super) fn collected(
    id: &ExecutionId,
    collected: Collected,
) -> (Vec<ArtifactBody>, (Vec<OmittedBody>, bool)) {
    let Collected { artifacts, omitted, truncated } = collected;
    let artifacts = artifacts.iter().map(|artifact| ArtifactBody::of(id, artifact)).collect();
    (artifacts, (omitted.into_iter().map(OmittedBody::from).collect(), truncated))
}

/// The files that were changed, and whether there may be more.
pub(super) fn changes(changes: Changes) -> (Vec<FileChangeBody>, bool) {
    let Changes { files, truncated } = changes;
    (files.into_iter().map(FileChangeBody::from).collect(), truncated)
}

impl ArtifactBody {
    /// From the domain.
    pub fn of(id: &ExecutionId, artifact: &Artifact) -> Self {
        let Artifact { path, size, until } = artifact;
        Self {
            path: path.to_string(),
            size: *size,
            mime: mime(path),
            url: address(id, Kept::Artifact(path)),
            until: timestamp::write(*until),
            expired: *until <= Timestamp::now(),
        }
    }
}

impl From<Omitted> for OmittedBody {
    fn from(Omitted { path, size, reason }: Omitted) -> Self {
        Self { path: path.to_string(), size, reason: OmittedReason::name(reason) }
    }
}

impl From<FileChange> for FileChangeBody {
    fn from(FileChange { path, change, size }: FileChange) -> Self {
        Self { path: path.to_string(), change: Change::name(change), size }
    }
}

/// The type of a file, by its name.
fn mime(path: &FilePath) -> String {
    mime_guess::from_path(path.to_string()).first_or_octet_stream().to_string()
}

/// Where something of a run can be fetched.
pub(super) fn address(id: &ExecutionId, kept: Kept<'_>) -> String {
    let execution = format!("/v1/code_interpreter/executions/{id}");
    match kept {
        Kept::Execution => execution,
        Kept::Output(stream) => format!("{execution}/output/{}", stream.name()),
        Kept::Artifact(FilePath(path)) => {
            format!("{execution}/artifacts/{}", encoded(path))
        }
    }
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::{FilePath, Kept, address, mime};
    use crate::domain::ids::ExecutionId;

    proptest! {
        /// Whatever user code calls a file: its address is plain, and means that file.
        #[test]
        fn an_address_is_exact(path in prop::collection::vec(any::<u8>(), 1..60)) {
            let path = FilePath(path);
            let address = address(&ExecutionId::generate(), Kept::Artifact(&path));
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/%-._~".contains(&byte);
            prop_assert!(address.bytes().all(plain), "{address}");
            let (_, name) = address.split_once("/artifacts/").unwrap();
            prop_assert_eq!(percent_decode_str(name).collect::<Vec<u8>>(), path.0.clone());
            prop_assert!(mime(&path).contains('/'));
        }
    }
}
