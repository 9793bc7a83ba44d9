//! Files that are in the workspace before something runs.

use std::collections::BTreeMap;

use utoipa::PartialSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaType, Type};

use super::content::Content;
use crate::domain::field_error::FieldErrors;
use crate::domain::run::MAX_FILES;
use crate::domain::workspace::{WorkspaceFile, WorkspacePath};
use crate::http::extract::field_path;

/// Of `files`.
pub(in crate::http::rest) fn files_schema() -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Object, Type::Null]))
        .description(Some("Files to write first, by path in the workspace."))
        .additional_properties(Some(Content::schema()))
        .max_properties(Some(MAX_FILES))
        .build()
}

/// Files, each of which can be there beside the others.
pub(in crate::http::rest) fn files(
    files: BTreeMap<String, Content>,
    errors: &mut FieldErrors,
) -> Vec<WorkspaceFile> {
    if files.len() > MAX_FILES {
        errors.push("files", format!("must have at most {MAX_FILES} files"));
        return Vec::new();
    }
    let mut checked: BTreeMap<WorkspacePath, Vec<u8>> = BTreeMap::new();
    for (path, content) in files {
        let loc = field_path::of_key("files", &path);
        let path = errors.keep(loc.as_str(), WorkspacePath::parse(&path));
        let content = errors.keep(loc.as_str(), content.into_bytes());
        let Some((path, content)) = path.zip(content) else {
            continue;
        };
        if checked.insert(path, content).is_some() {
            errors.push(loc, "names the same file as another path");
        }
    }
    for path in checked.keys() {
        if let Some(file) = path.parents().find(|parent| checked.contains_key(*parent)) {
            let file = field_path::of_key("files", file);
            let msg = format!("cannot be below {file}, which is a file");
            errors.push(field_path::of_key("files", path.as_str()), msg);
        }
    }
    checked.into_iter().map(|(path, content)| WorkspaceFile { path, content }).collect()
}
