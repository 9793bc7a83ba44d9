//! Files of sessions.

use actix_web::http::StatusCode as S;
use utoipa::openapi::path::Parameter;

use super::{delete, get, post, put};
use crate::domain::files::{DEFAULT_ENTRIES, MAX_DEPTH, MAX_ENTRIES};
use crate::domain::scope::Access::Needs;
use crate::domain::scope::Scope::{Read, Sessions};
use crate::http::failure::Code as C;
use crate::http::rest::endpoint::{Content, Endpoint, Tag, Takes};
use crate::http::rest::files::{self, archive, changes, content};
use crate::http::rest::schemas::{
    conditions, directory, flag, number, range, range_of_version, schema,
};

/// What any of them can meet.
const OF_SESSION: [C; 6] = [
    C::SessionNotFound,
    C::SessionExpired,
    C::SessionLost,
    C::WorkerUnavailable,
    C::ShareFull,
    C::WorkerFull,
];
/// What can be wrong with a path that is there.
const OF_PATH: [C; 5] =
    [C::ValidationFailed, C::FileNotFound, C::NotADirectory, C::FileRefused, C::SpecialFile];
/// What can come of writing.
const OF_WRITING: [C; 6] = [
    C::IsDirectory,
    C::FileExists,
    C::FileTooLarge,
    C::DiskFull,
    C::TooManyTransfers,
    C::FileChanged,
];

fn recursive() -> Vec<Parameter> {
    vec![flag("recursive", "A directory with all that is in it.", false)]
}

fn mkdirs() -> Vec<Parameter> {
    vec![flag("mkdirs", "Makes the directories on the way.", true)]
}

fn append() -> Vec<Parameter> {
    vec![flag("append", "Puts it behind what is there.", false)]
}

fn listed() -> Vec<Parameter> {
    vec![
        number("depth", "Levels; 1 is the directory alone.", (1, MAX_DEPTH)),
        number("limit", "Most entries.", (DEFAULT_ENTRIES, MAX_ENTRIES)),
    ]
}

fn watched() -> Vec<Parameter> {
    vec![number("depth", "Levels; 1 is the directory alone.", (MAX_DEPTH, MAX_DEPTH))]
}

pub(super) fn rows() -> Vec<Endpoint> {
    use files::json::{
        ListingAnswer, MadeAnswer, MakeBody, ManyAnswer, PlaceBody, PlacedAnswer, UnpackedAnswer,
        WrittenAnswer,
    };
    const ALL: &str = "/v1/code_interpreter/sessions/{id}/files";
    const ONE: &str = "/v1/code_interpreter/sessions/{id}/files/{path}";
    const TAR: &str = "/v1/code_interpreter/sessions/{id}/files.tar";
    const MOVE: &str = "/v1/code_interpreter/sessions/{id}/files:move";
    const COPY: &str = "/v1/code_interpreter/sessions/{id}/files:copy";
    const MKDIR: &str = "/v1/code_interpreter/sessions/{id}/files:mkdir";
    const WATCH: &str = "/v1/code_interpreter/sessions/{id}/files:watch";
    let written = Content::Json(schema::<WrittenAnswer>);
    let made = Content::Json(schema::<MadeAnswer>);
    let placed = Content::Json(schema::<PlacedAnswer>);
    vec![
        get(ALL, Needs(Read), Tag::Files, "list_files", "What is in the workspace")
            .more("Links are not followed.")
            .with(directory)
            .with(listed)
            .gives(S::OK, "What is there", Content::Json(schema::<ListingAnswer>))
            .fails(&OF_SESSION)
            .fails(&OF_PATH)
            .fails(&[C::AnswersFull])
            .to(files::list),
        post(ALL, Needs(Sessions), Tag::Files, "upload_files", "Write many files")
            .more(
                "A form whose parts are files, each under its file name, which may have \
                 directories. What came before one that fails stays.",
            )
            .with(directory)
            .with(mkdirs)
            .takes(Takes::Form)
            .gives(S::OK, "They are written", Content::Json(schema::<ManyAnswer>))
            .fails(&OF_SESSION)
            .fails(&OF_PATH)
            .fails(&OF_WRITING)
            .fails(&[C::UnsupportedMediaType])
            .to(files::post),
        get(ONE, Needs(Read), Tag::Files, "read_file", "A file")
            .more("A link is followed as long as it leads to something in the workspace.")
            .with(range)
            .with(range_of_version)
            .with(conditions)
            .gives(S::OK, "All of it", Content::File)
            .gives(S::PARTIAL_CONTENT, "The bytes that were asked for", Content::File)
            .gives(S::NOT_MODIFIED, "It is one of If-None-Match", Content::Nothing)
            .fails(&OF_SESSION)
            .fails(&OF_PATH)
            .fails(&[C::IsDirectory, C::FileChanged, C::RangeNotSatisfiable])
            .fails(&[C::TooManyTransfers, C::AnswersFull])
            .to(content::get),
        put(ONE, Needs(Sessions), Tag::Files, "write_file", "Write a file")
            .more(
                "Whole and at once: nobody sees half of it, and nothing is left of one that \
                 breaks off. What is replaced keeps its mode; a link is replaced itself.",
            )
            .with(append)
            .with(mkdirs)
            .with(conditions)
            .takes(Takes::Bytes)
            .gives(S::OK, "It replaces another", written)
            .gives(S::CREATED, "It is new", written)
            .fails(&OF_SESSION)
            .fails(&OF_PATH)
            .fails(&OF_WRITING)
            .to(content::put),
        delete(ONE, Needs(Sessions), Tag::Files, "remove_file", "Remove a file or a directory")
            .more("A link is removed itself.")
            .with(recursive)
            .with(conditions)
            .gives(S::NO_CONTENT, "It is gone", Content::Nothing)
            .fails(&OF_SESSION)
            .fails(&OF_PATH)
            .fails(&[C::DirectoryNotEmpty, C::FileChanged])
            .to(files::delete),
        post(MOVE, Needs(Sessions), Tag::Files, "move_file", "Give something another name")
            .more("A file, a link or a directory, at once.")
            .takes(Takes::Json(schema::<PlaceBody>))
            .gives(S::OK, "It has that name", placed)
            .fails(&OF_SESSION)
            .fails(&OF_PATH)
            .fails(&OF_WRITING)
            .to(files::rename),
        post(COPY, Needs(Sessions), Tag::Files, "copy_file", "Copy a file")
            .takes(Takes::Json(schema::<PlaceBody>))
            .gives(S::OK, "The copy is there", placed)
            .fails(&OF_SESSION)
            .fails(&OF_PATH)
            .fails(&OF_WRITING)
            .to(files::copy),
        post(MKDIR, Needs(Sessions), Tag::Files, "make_directory", "Make a directory")
            .takes(Takes::Json(schema::<MakeBody>))
            .gives(S::OK, "It was there", made)
            .gives(S::CREATED, "It is new", made)
            .fails(&OF_SESSION)
            .fails(&OF_PATH)
            .fails(&[C::FileExists, C::DiskFull])
            .to(files::make_directory),
        get(TAR, Needs(Read), Tag::Files, "read_archive", "A directory as an archive of tar's")
            .more(
                "Links are links in it. FIFOs, sockets and devices are left out, and so is what \
                 the session's programs have closed to themselves.",
            )
            .with(directory)
            .gives(S::OK, "The archive", Content::Archive)
            .fails(&OF_SESSION)
            .fails(&OF_PATH)
            .fails(&[C::ArchiveRefused, C::TooManyTransfers, C::AnswersFull])
            .to(archive::get),
        put(TAR, Needs(Sessions), Tag::Files, "write_archive", "Unpack an archive of tar's")
            .more(
                "Not compressed. Nothing in it may leave the workspace, and devices are refused; \
                 what came before something that is refused stays.",
            )
            .with(directory)
            .takes(Takes::Archive)
            .gives(S::OK, "It is unpacked", Content::Json(schema::<UnpackedAnswer>))
            .fails(&OF_SESSION)
            .fails(&OF_PATH)
            .fails(&OF_WRITING)
            .fails(&[C::ArchiveRefused])
            .to(archive::put),
        get(WATCH, Needs(Read), Tag::Files, "watch_files", "What changes in the workspace")
            .more(
                "`ready` when it has begun, then `created`, `modified` and `removed` with path, \
                 type and size, a quarter of a second after it happened or later; at last `end`, \
                 with a reason. What changes more often is told once.",
            )
            .with(directory)
            .with(watched)
            .gives(S::OK, "Events", Content::Events)
            .fails(&OF_SESSION)
            .fails(&OF_PATH)
            .fails(&[C::TooManyTransfers])
            .to(changes::watch),
    ]
}
