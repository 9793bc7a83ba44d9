//! Files of sessions of a worker that runs nothing: they are in memory.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use proto::execution_v1 as wire;
use proto::execution_v1::files_server::Files;
use proto::wire::{FILE_PIECE_BYTES, reason};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status, Streaming};
use wire::download_piece::Piece;
use wire::download_request::Step as Asked;
use wire::upload_reply::Reply;
use wire::upload_request::Step as Sent;

use super::FakeWorker;
use super::script::failed;

type Answers<T> = Pin<Box<dyn tokio_stream::Stream<Item = Result<T, Status>> + Send>>;

/// Files of all sessions, by session and path.
#[derive(Clone, Default)]
pub struct FakeFiles(Arc<Mutex<State>>);

#[derive(Default)]
pub struct State {
    pub files: BTreeMap<(String, Vec<u8>), Bytes>,
    /// Pieces of downloads that were asked for.
    pub asked: u64,
    /// Uploads that have begun.
    pub begun: u64,
    /// Uploads that have broken off.
    pub abandoned: u64,
    /// What the next call fails with.
    pub failure: Option<&'static str>,
}

impl FakeFiles {
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A version that changes with the content.
fn info(content: &[u8]) -> wire::FileInfo {
    let sum: u64 = content.iter().map(|byte| u64::from(*byte)).sum();
    wire::FileInfo {
        kind: i32::from(wire::FileKind::Regular),
        size: content.len() as u64,
        mode: 0o644,
        modified_at_ms: 1_700_000_000_000,
        version: format!("{:x}-{sum:x}", content.len()),
    }
}

fn no(word: &'static str) -> Status {
    failed(Code::FailedPrecondition, word, "as it is")
}

fn check(
    condition: Option<&wire::FileCondition>,
    now: Option<&wire::FileInfo>,
) -> Result<(), Status> {
    let has = |versions: &wire::FileVersions| {
        now.is_some_and(|now| versions.any || versions.versions.contains(&now.version))
    };
    let Some(condition) = condition else { return Ok(()) };
    let is = condition.is.as_ref().is_none_or(has);
    let is_not = condition.is_not.as_ref().is_none_or(|versions| !has(versions));
    if is && is_not { Ok(()) } else { Err(no(reason::FILE_CHANGED)) }
}

impl FakeWorker {
    fn of_files(&self, session: &str, owner: &str) -> Result<(), Status> {
        self.session(session, owner)?;
        self.files.lock().failure.take().map_or(Ok(()), |word| Err(no(word)))
    }

    fn content(&self, session: &str, path: &[u8]) -> Result<Bytes, Status> {
        let found = self.files.lock().files.get(&(session.to_owned(), path.to_vec())).cloned();
        found.ok_or_else(|| no(reason::FILE_NOT_FOUND))
    }

    fn put(&self, session: &str, path: &[u8], content: Bytes) -> bool {
        let name = (session.to_owned(), path.to_vec());
        self.files.lock().files.insert(name, content).is_none()
    }

    async fn serve_download(
        &self,
        mut steps: Streaming<wire::DownloadRequest>,
        answers: &mpsc::Sender<Result<wire::DownloadPiece, Status>>,
    ) -> Result<(), Status> {
        let first = steps.message().await?.and_then(|step| step.step);
        let (first, content) = match first {
            Some(Asked::File(file)) => {
                self.of_files(&file.session_id, &file.owner)?;
                let content = self.content(&file.session_id, &file.path)?;
                let (found, content) = found(&file, &content)?;
                (Piece::Found(found), content)
            }
            Some(Asked::Archive(archive)) => {
                self.of_files(&archive.session_id, &archive.owner)?;
                (Piece::Archive(wire::ArchiveFound {}), Bytes::from(vec![0; 1024]))
            }
            Some(Asked::More(_)) | None => panic!("the gateway begins with something else"),
        };
        let say = async |piece| {
            let piece = wire::DownloadPiece { piece: Some(piece) };
            answers.send(Ok(piece)).await.map_err(|_| Status::cancelled("gone"))
        };
        say(first).await?;
        let mut rest = content;
        while let Some(step) = steps.message().await? {
            assert!(matches!(step.step, Some(Asked::More(_))));
            self.files.lock().asked += 1;
            if rest.is_empty() {
                return say(Piece::End(wire::DownloadEnd {})).await;
            }
            let piece = rest.split_to(rest.len().min(FILE_PIECE_BYTES));
            if piece.starts_with(b"break off") {
                return Err(no(reason::FILE_CHANGED));
            }
            say(Piece::Data(piece)).await?;
        }
        Ok(())
    }

    async fn serve_upload(
        &self,
        mut steps: Streaming<wire::UploadRequest>,
        answers: &mpsc::Sender<Result<wire::UploadReply, Status>>,
    ) -> Result<(), Status> {
        let say = async |reply| {
            let reply = wire::UploadReply { reply: Some(reply) };
            answers.send(Ok(reply)).await.map_err(|_| Status::cancelled("gone"))
        };
        let first = steps.message().await?.and_then(|step| step.step);
        match &first {
            Some(Sent::File(file)) => {
                self.of_files(&file.session_id, &file.owner)?;
                let now = self.content(&file.session_id, &file.path).ok();
                check(file.condition.as_ref(), now.as_deref().map(info).as_ref())?;
                if file.size.is_some_and(|size| size > 64 << 20) {
                    return Err(no(reason::FILE_TOO_LARGE));
                }
            }
            Some(Sent::Archive(archive)) => self.of_files(&archive.session_id, &archive.owner)?,
            _ => panic!("the gateway begins with something else"),
        }
        self.files.lock().begun += 1;
        let mut room = 1;
        say(Reply::Room(wire::UploadRoom { pieces: 1 })).await?;
        let mut content = Vec::new();
        loop {
            // A caller who goes away says nothing more, or breaks the stream off.
            match steps.message().await.ok().flatten().and_then(|step| step.step) {
                Some(Sent::Data(piece)) => {
                    assert!(room > 0, "more than was asked for");
                    assert!(piece.len() <= FILE_PIECE_BYTES);
                    room -= 1;
                    content.extend(piece);
                    if content.starts_with(b"too much") {
                        return Err(no(reason::DISK_FULL));
                    }
                    room += 1;
                    say(Reply::Room(wire::UploadRoom { pieces: 1 })).await?;
                }
                Some(Sent::End(_)) => break,
                _ => {
                    self.files.lock().abandoned += 1;
                    return Ok(());
                }
            }
        }
        match first {
            Some(Sent::File(file)) => {
                let before = self.content(&file.session_id, &file.path).unwrap_or_default();
                let before = if file.append { before } else { Bytes::new() };
                let whole = Bytes::from([before, content.into()].concat());
                let info = Some(info(&whole));
                let created = self.put(&file.session_id, &file.path, whole);
                say(Reply::Written(wire::FileWritten { info, created })).await
            }
            _ => {
                let bytes = content.len() as u64;
                let unpacked = wire::ArchiveUnpacked { files: 1, directories: 0, links: 0, bytes };
                say(Reply::Unpacked(unpacked)).await
            }
        }
    }
}

/// What comes of a file.
fn found(file: &wire::FileDownload, content: &Bytes) -> Result<(wire::FileFound, Bytes), Status> {
    use wire::file_range::Range;
    let info = info(content);
    let condition = file.condition.clone().unwrap_or_default();
    let is = wire::FileCondition { is: condition.is, is_not: None };
    check(Some(&is), Some(&info))?;
    let is_not = wire::FileCondition { is: None, is_not: condition.is_not };
    let not_modified = check(Some(&is_not), Some(&info)).is_err();
    let same = file.range_of.is_empty() || file.range_of == info.version;
    let size = info.size;
    let range = file.range.and_then(|range| range.range).filter(|_| same);
    let part = range.map(|range| match range {
        Range::FromTo(wire::FromTo { first, last }) => (first, size.min(last + 1)),
        Range::From(first) => (first, size),
        Range::Last(count) => (size.saturating_sub(count), size),
    });
    let partial = part.is_some_and(|(first, end)| first < end) && !not_modified;
    let no_such_range = part.is_some() && !partial && !not_modified;
    let (first, end) = part.filter(|_| partial).unwrap_or((0, size));
    let end = if not_modified || no_such_range { first } else { end };
    let found = wire::FileFound {
        info: Some(info),
        offset: first,
        length: end - first,
        not_modified,
        no_such_range,
        partial,
    };
    Ok((found, content.slice(first as usize..end as usize)))
}

#[tonic::async_trait]
impl Files for FakeWorker {
    type DownloadStream = Answers<wire::DownloadPiece>;
    type UploadStream = Answers<wire::UploadReply>;
    type WatchFilesStream = Answers<wire::FileChanges>;

    async fn list_files(
        &self,
        request: Request<wire::ListFilesRequest>,
    ) -> Result<Response<wire::ListFilesResponse>, Status> {
        self.admit(&request)?;
        let asked = request.into_inner();
        self.of_files(&asked.session_id, &asked.owner)?;
        let state = self.files.lock();
        let of_session = state.files.iter().filter(|((of, _), _)| *of == asked.session_id);
        let mut entries: Vec<_> =
            of_session.map(|((_, path), content)| entry(path, content)).collect();
        let truncated = entries.len() > asked.limit as usize;
        entries.truncate(asked.limit as usize);
        Ok(Response::new(wire::ListFilesResponse { entries, truncated }))
    }

    async fn download(
        &self,
        request: Request<Streaming<wire::DownloadRequest>>,
    ) -> Result<Response<Self::DownloadStream>, Status> {
        self.admit(&request)?;
        let (worker, steps) = (self.clone(), request.into_inner());
        let (answers, stream) = mpsc::channel(1);
        tokio::spawn(async move {
            if let Err(status) = worker.serve_download(steps, &answers).await {
                let _ = answers.send(Err(status)).await;
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn upload(
        &self,
        request: Request<Streaming<wire::UploadRequest>>,
    ) -> Result<Response<Self::UploadStream>, Status> {
        self.admit(&request)?;
        let (worker, steps) = (self.clone(), request.into_inner());
        let (answers, stream) = mpsc::channel(1);
        tokio::spawn(async move {
            if let Err(status) = worker.serve_upload(steps, &answers).await {
                let _ = answers.send(Err(status)).await;
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn remove_file(
        &self,
        request: Request<wire::RemoveFileRequest>,
    ) -> Result<Response<wire::FilesDone>, Status> {
        self.admit(&request)?;
        let asked = request.into_inner();
        self.of_files(&asked.session_id, &asked.owner)?;
        let content = self.content(&asked.session_id, &asked.path)?;
        check(asked.condition.as_ref(), Some(&info(&content)))?;
        self.files.lock().files.remove(&(asked.session_id, asked.path.to_vec()));
        Ok(Response::new(wire::FilesDone {}))
    }

    async fn move_file(
        &self,
        request: Request<wire::PlaceFileRequest>,
    ) -> Result<Response<wire::FilesDone>, Status> {
        self.admit(&request)?;
        let asked = request.into_inner();
        self.of_files(&asked.session_id, &asked.owner)?;
        let content = self.content(&asked.session_id, &asked.from)?;
        self.files.lock().files.remove(&(asked.session_id.clone(), asked.from.to_vec()));
        self.put(&asked.session_id, &asked.to, content);
        Ok(Response::new(wire::FilesDone {}))
    }

    async fn copy_file(
        &self,
        request: Request<wire::PlaceFileRequest>,
    ) -> Result<Response<wire::FileInfo>, Status> {
        self.admit(&request)?;
        let asked = request.into_inner();
        self.of_files(&asked.session_id, &asked.owner)?;
        let content = self.content(&asked.session_id, &asked.from)?;
        if !asked.overwrite && self.content(&asked.session_id, &asked.to).is_ok() {
            return Err(no(reason::FILE_EXISTS));
        }
        let info = info(&content);
        self.put(&asked.session_id, &asked.to, content);
        Ok(Response::new(info))
    }

    async fn make_directory(
        &self,
        request: Request<wire::MakeDirectoryRequest>,
    ) -> Result<Response<wire::MakeDirectoryResponse>, Status> {
        self.admit(&request)?;
        let asked = request.into_inner();
        self.of_files(&asked.session_id, &asked.owner)?;
        Ok(Response::new(wire::MakeDirectoryResponse { made: true }))
    }

    async fn watch_files(
        &self,
        request: Request<wire::WatchFilesRequest>,
    ) -> Result<Response<Self::WatchFilesStream>, Status> {
        self.admit(&request)?;
        let asked = request.into_inner();
        self.of_files(&asked.session_id, &asked.owner)?;
        let change = wire::FileChange {
            kind: i32::from(wire::file_change::Kind::Created),
            entry: Some(entry(b"out/\xff.png", b"12345")),
        };
        let none = wire::FileChanges::default;
        let told = [
            none(),
            wire::FileChanges { changes: vec![change], ..none() },
            wire::FileChanges { ended: String::from("session_ended"), ..none() },
        ];
        Ok(Response::new(Box::pin(tokio_stream::iter(told.map(Ok)))))
    }
}

fn entry(path: &[u8], content: &[u8]) -> wire::FileEntry {
    let (path, info) = (Bytes::copy_from_slice(path), Some(info(content)));
    wire::FileEntry { path, info, target: Bytes::new() }
}
