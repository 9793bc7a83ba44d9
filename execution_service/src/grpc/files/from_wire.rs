//! What a caller asks of files, checked.

use bytes::Bytes;
use proto::execution_v1 as wire;
use tonic::Status;

use crate::grpc::status::invalid;
use crate::sandbox::files::{Condition, FilePath, Version, Versions};
use crate::worker::files::{Asked, AskedRange};

/// A path below the workspace.
pub fn path(field: &str, path: Bytes) -> Result<FilePath, Status> {
    FilePath::parse(path.into()).map_err(|error| invalid(field, &error.to_string()))
}

/// A directory; nothing is the workspace.
pub fn directory(field: &str, path: Bytes) -> Result<Option<FilePath>, Status> {
    if path.is_empty() { Ok(None) } else { self::path(field, path).map(Some) }
}

/// A condition, or none.
pub fn condition(condition: Option<wire::FileCondition>) -> Result<Condition, Status> {
    let wire::FileCondition { is, is_not } = condition.unwrap_or_default();
    Ok(Condition { is: is.map(versions).transpose()?, is_not: is_not.map(versions).transpose()? })
}

/// What is no version of ours names no file.
fn versions(wire::FileVersions { any, versions }: wire::FileVersions) -> Result<Versions, Status> {
    if versions.len() > Versions::MOST {
        return Err(invalid("condition", &format!("names more than {} versions", Versions::MOST)));
    }
    if any {
        return Ok(Versions::Any);
    }
    let versions = versions.iter().filter_map(|text| Version::parse(text)).collect();
    Ok(Versions::These(versions))
}

/// What is wanted of a file.
pub fn asked(
    wanted: Option<wire::FileCondition>,
    range: Option<wire::FileRange>,
    range_of: &str,
) -> Result<Asked, Status> {
    use wire::file_range::Range;
    let range = range.and_then(|range| range.range).map(|range| match range {
        Range::FromTo(wire::FromTo { first, last }) => AskedRange::FromTo(first, last),
        Range::From(first) => AskedRange::From(first),
        Range::Last(count) => AskedRange::Last(count),
    });
    let range_of = Some(range_of).filter(|text| !text.is_empty()).map(Version::parse);
    Ok(Asked { condition: condition(wanted)?, range, range_of })
}
