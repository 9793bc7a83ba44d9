//! `…/files`, in JSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::headers::entity_tag;
use crate::domain::field_error::{FieldError, FieldErrors};
use crate::domain::files::{
    ChangeKind, Encoding, FileChange, FileEntry, FileInfo, FileKind, FilePath, Listing, MAX_PATH,
    PathText, Placing, Unpacked, WrittenFile,
};
use crate::http::rest::fields::timestamp;

/// A path in a body.
fn path_schema() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("Relative to the workspace, without `.`, `..` and empty names."))
        .min_length(Some(1))
        .max_length(Some(MAX_PATH))
        .pattern(Some("^[^/\\u0000]([^\\u0000]*[^/\\u0000])?$"))
        .build()
}

fn encodings() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(
            "How the paths here are written: `utf-8`, as they are; `percent`, as in a URL, for \
             names that are no UTF-8.",
        ))
        .enum_values(Some(Encoding::ALL.map(Encoding::name)))
        .build()
}

fn kinds() -> Object {
    let kinds = [FileKind::File, FileKind::Directory, FileKind::Link, FileKind::Special];
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("What it is; `special` is a FIFO, a socket or a device."))
        .enum_values(Some(kinds.map(FileKind::name)))
        .build()
}

impl FileKind {
    /// What callers call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Link => "link",
            Self::Special => "special",
        }
    }
}

impl ChangeKind {
    /// What callers call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Modified => "modified",
            Self::Removed => "removed",
        }
    }
}

/// Two names.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from": "draft.md", "to": "out/report.md"}))]
pub struct PlaceBody {
    /// What is there.
    #[schema(schema_with = path_schema)]
    pub from: String,
    /// What it is to be called.
    #[schema(schema_with = path_schema)]
    pub to: String,
    /// Replaces a file or a link of that name. False when left out.
    #[serde(default)]
    pub overwrite: bool,
    /// Makes the directories on the way. True when left out.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub mkdirs: bool,
    /// `utf-8` when left out.
    #[serde(default = "utf8")]
    #[schema(schema_with = encodings)]
    pub encoding: String,
}

fn yes() -> bool {
    true
}

fn utf8() -> String {
    Encoding::Utf8.name().to_owned()
}

fn path(
    name: &str,
    text: &str,
    encoding: Option<Encoding>,
    errors: &mut FieldErrors,
) -> Option<FilePath> {
    errors.keep(name, FilePath::from_text(text, encoding?))
}

fn encoding(name: &str, errors: &mut FieldErrors) -> Option<Encoding> {
    let names = Encoding::ALL.map(Encoding::name).join(", ");
    errors.keep("encoding", Encoding::parse(name).ok_or(format!("must be one of {names}")))
}

impl PlaceBody {
    /// Checks it.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self) -> Result<(FilePath, FilePath, Placing), Vec<FieldError>> {
        let Self { from, to, overwrite, mkdirs, encoding: written } = self;
        let mut errors = FieldErrors::default();
        let encoding = encoding(&written, &mut errors);
        let from = path("from", &from, encoding, &mut errors);
        let to = path("to", &to, encoding, &mut errors);
        let placing = Placing { overwrite, parents: mkdirs };
        errors.finish(from.zip(to).map(|(from, to)| (from, to, placing)))
    }
}

/// A directory to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"path": "out/plots"}))]
pub struct MakeBody {
    /// What it is to be called.
    #[schema(schema_with = path_schema)]
    pub path: String,
    /// Makes those on the way, and does not mind if it is there already. True when left out.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub parents: bool,
    /// `utf-8` when left out.
    #[serde(default = "utf8")]
    #[schema(schema_with = encodings)]
    pub encoding: String,
}

impl MakeBody {
    /// Checks it.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self) -> Result<(FilePath, bool), Vec<FieldError>> {
        let Self { path: text, parents, encoding: written } = self;
        let mut errors = FieldErrors::default();
        let encoding = encoding(&written, &mut errors);
        let path = path("path", &text, encoding, &mut errors);
        errors.finish(path.map(|path| (path, parents)))
    }
}

/// What is below a directory.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListingAnswer {
    /// By path.
    pub entries: Vec<EntryAnswer>,
    /// There are more than were asked for, or than are listed at once. Those that are missing lie deepest.
    pub truncated: bool,
}

/// One name in a workspace.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "path": "out/plot.png", "encoding": "utf-8", "type": "file", "size": 51234, "mode": "0644",
    "modified_at": "2026-01-31T12:00:00Z", "etag": "\"3f-c822-697df8b0-0-697df8b0-0\"",
    "target": null
}))]
pub struct EntryAnswer {
    /// Relative to the workspace.
    pub path: String,
    /// How `path` and `target` are written.
    #[schema(schema_with = encodings)]
    pub encoding: &'static str,
    /// What it is. A link is not followed.
    #[schema(schema_with = kinds)]
    pub r#type: &'static str,
    /// Bytes in a file.
    pub size: u64,
    /// Permission bits, in octal.
    #[schema(pattern = "^[0-7]{4}$")]
    pub mode: String,
    /// When its content was changed last, as programs have it.
    #[schema(format = DateTime)]
    pub modified_at: String,
    /// Of a file: for `If-Match`.
    #[schema(required)]
    pub etag: Option<String>,
    /// Where a link leads.
    #[schema(required)]
    pub target: Option<String>,
}

impl EntryAnswer {
    fn of(entry: FileEntry) -> Self {
        let FileEntry { path, info, target } = entry;
        let FileInfo { kind, size, mode, modified_at, version } = info;
        let mut path = PathText::of(path.as_bytes());
        let mut target = target.map(|target| PathText::of(&target));
        // One word for both: the one that can say both.
        if let Some(target) = &mut target
            && path.encoding != target.encoding
        {
            for text in [&mut path, target] {
                if text.encoding == Encoding::Utf8 {
                    text.text = crate::domain::files::encoded(text.text.as_bytes());
                    text.encoding = Encoding::Percent;
                }
            }
        }
        Self {
            path: path.text,
            encoding: path.encoding.name(),
            r#type: kind.name(),
            size,
            mode: format!("{mode:04o}"),
            modified_at: timestamp::write(modified_at),
            etag: version.as_deref().map(entity_tag),
            target: target.map(|target| target.text),
        }
    }
}

impl ListingAnswer {
    /// From the domain.
    pub fn of(listing: Listing) -> Self {
        let Listing { entries, truncated } = listing;
        Self { entries: entries.into_iter().map(EntryAnswer::of).collect(), truncated }
    }
}

/// A file that was written.
#[derive(Debug, Serialize, ToSchema)]
pub struct WrittenAnswer {
    /// Relative to the workspace.
    pub path: String,
    /// How `path` is written.
    #[schema(schema_with = encodings)]
    pub encoding: &'static str,
    /// Nothing had its name before.
    pub created: bool,
    /// Bytes in it now.
    pub size: u64,
    /// Of what it is now: for `If-Match`.
    #[schema(required)]
    pub etag: Option<String>,
}

impl WrittenAnswer {
    /// From the domain.
    pub fn of(path: &FilePath, written: &WrittenFile) -> Self {
        let PathText { text, encoding } = PathText::of(path.as_bytes());
        let WrittenFile { info, created } = written;
        Self {
            path: text,
            encoding: encoding.name(),
            created: *created,
            size: info.size,
            etag: info.version.as_deref().map(entity_tag),
        }
    }
}

/// Files that were written.
#[derive(Debug, Serialize, ToSchema)]
pub struct ManyAnswer {
    /// In the order of the form.
    pub files: Vec<WrittenAnswer>,
}

/// What has another name now.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlacedAnswer {
    /// Its name now.
    pub path: String,
    /// How `path` is written.
    #[schema(schema_with = encodings)]
    pub encoding: &'static str,
    /// Of a copy: for `If-Match`.
    #[schema(required)]
    pub etag: Option<String>,
}

impl PlacedAnswer {
    /// From the domain.
    pub fn of(path: &FilePath, info: Option<&FileInfo>) -> Self {
        let PathText { text, encoding } = PathText::of(path.as_bytes());
        let version = info.and_then(|info| info.version.as_deref());
        Self { path: text, encoding: encoding.name(), etag: version.map(entity_tag) }
    }
}

/// A directory that is there now.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeAnswer {
    /// Its name.
    pub path: String,
    /// How `path` is written.
    #[schema(schema_with = encodings)]
    pub encoding: &'static str,
    /// It was not there before.
    pub created: bool,
}

impl MadeAnswer {
    /// From the domain.
    pub fn of(path: &FilePath, created: bool) -> Self {
        let PathText { text, encoding } = PathText::of(path.as_bytes());
        Self { path: text, encoding: encoding.name(), created }
    }
}

/// What was unpacked.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnpackedAnswer {
    /// Files; hard links are copies.
    pub files: u64,
    /// Directories that the archive names.
    pub directories: u64,
    /// Symbolic links.
    pub links: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

impl UnpackedAnswer {
    /// From the domain.
    pub fn of(unpacked: Unpacked) -> Self {
        let Unpacked { files, directories, links, bytes } = unpacked;
        Self { files, directories, links, bytes }
    }
}

/// `ready`: what changes from now on is told.
#[derive(Debug, Serialize)]
pub struct ReadyEvent {
    /// There is more below the directory than is watched.
    pub truncated: bool,
}

/// `created`, `modified` or `removed`.
#[derive(Debug, Serialize)]
pub struct ChangeEvent {
    /// Relative to the workspace.
    pub path: String,
    /// How `path` is written.
    pub encoding: &'static str,
    /// What it is, or was.
    pub r#type: &'static str,
    /// Bytes in a file; of one that was removed, before that.
    pub size: u64,
}

impl ChangeEvent {
    /// From the domain.
    pub fn of(change: &FileChange) -> Self {
        let FileEntry { path, info, target: _ } = &change.entry;
        let PathText { text, encoding } = PathText::of(path.as_bytes());
        Self { path: text, encoding: encoding.name(), r#type: info.kind.name(), size: info.size }
    }
}

/// `end`: there will be no more.
#[derive(Debug, Serialize)]
pub struct EndEvent {
    /// Why: `session_ended`, `session_expired`, `session_lost`, `directory_gone` or `worker_lost`.
    pub reason: String,
}
