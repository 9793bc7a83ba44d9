//! Files of sessions: wire to ours, one call of the worker, ours to wire. Contents come and go in streams
//! ([`download`], [`upload`]), each piece when it is asked for.

mod download;
mod from_wire;
mod to_wire;
mod upload;
mod watch;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use proto::execution_v1 as wire;
use tokio::sync::mpsc::{Sender, channel};
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::status::status;
use crate::sandbox::files::Placing;
use crate::worker::Worker;

/// How long a caller may ask for nothing, or send nothing.
const PATIENCE: Duration = Duration::from_secs(120);

/// Serves `execution.v1.Files`.
pub struct Files {
    worker: Arc<Worker>,
}

impl Files {
    /// For `worker`.
    pub fn new(worker: Arc<Worker>) -> Self {
        Self { worker }
    }

    /// What `serve` says, of which so many may wait for the caller; last of all, why it failed.
    fn answers<T, F>(
        &self,
        what: &'static str,
        waiting: usize,
        serve: impl FnOnce(Sender<Result<T, Status>>) -> F,
    ) -> Answers<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<(), Status>> + Send + 'static,
    {
        let (answers, stream) = channel(waiting);
        let served = serve(answers.clone());
        self.worker.tasks.spawn(what, async move {
            if let Err(status) = served.await {
                // Fails if nobody wants to know.
                let _ = answers.send(Err(status)).await;
            }
        });
        Box::pin(ReceiverStream::new(stream))
    }
}

/// The next of a caller's messages, who may be silent for a while; nothing when he is gone.
async fn next<T>(messages: &mut Streaming<T>, silence: &str) -> Result<Option<T>, Status> {
    let sent = timeout(PATIENCE, messages.message()).await;
    sent.map_err(|_| Status::cancelled(silence))?
}

async fn say<T>(answers: &Sender<Result<T, Status>>, answer: T) -> Result<(), Status> {
    let said = answers.send(Ok(answer)).await;
    said.map_err(|_| Status::cancelled("the caller is gone"))
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl wire::files_server::Files for Files {
    type DownloadStream = Answers<wire::DownloadPiece>;
    type UploadStream = Answers<wire::UploadReply>;
    type WatchFilesStream = Answers<wire::FileChanges>;

    async fn list_files(
        &self,
        request: Request<wire::ListFilesRequest>,
    ) -> Result<Response<wire::ListFilesResponse>, Status> {
        let message = request.into_inner();
        let wire::ListFilesRequest { session_id, owner, path, depth, limit } = message;
        let path = from_wire::directory("path", path)?;
        let session = (session_id.as_str(), owner.as_str());
        let listed = self.worker.list_files(session, path.as_ref(), depth, limit as usize).await;
        Ok(Response::new(to_wire::tree(listed.map_err(|error| status(&error))?)))
    }

    async fn download(
        &self,
        request: Request<Streaming<wire::DownloadRequest>>,
    ) -> Result<Response<Self::DownloadStream>, Status> {
        let (worker, steps) = (Arc::clone(&self.worker), request.into_inner());
        let serve = |answers| async move { download::serve(&worker, steps, &answers).await };
        Ok(Response::new(self.answers("download", 1, serve)))
    }

    async fn upload(
        &self,
        request: Request<Streaming<wire::UploadRequest>>,
    ) -> Result<Response<Self::UploadStream>, Status> {
        let (worker, steps) = (Arc::clone(&self.worker), request.into_inner());
        let serve = |answers| async move { upload::serve(&worker, steps, &answers).await };
        Ok(Response::new(self.answers("upload", upload::IN_FLIGHT, serve)))
    }

    async fn remove_file(
        &self,
        request: Request<wire::RemoveFileRequest>,
    ) -> Result<Response<wire::FilesDone>, Status> {
        let message = request.into_inner();
        let wire::RemoveFileRequest { session_id, owner, path, whole, condition } = message;
        let path = from_wire::path("path", path)?;
        let condition = from_wire::condition(condition)?;
        let session = (session_id.as_str(), owner.as_str());
        let removed = self.worker.remove_file(session, &path, whole, &condition).await;
        removed.map_err(|error| status(&error))?;
        Ok(Response::new(wire::FilesDone {}))
    }

    async fn move_file(
        &self,
        request: Request<wire::PlaceFileRequest>,
    ) -> Result<Response<wire::FilesDone>, Status> {
        let message = request.into_inner();
        let wire::PlaceFileRequest { session_id, owner, from, to, overwrite, parents } = message;
        let (from, to) = (from_wire::path("from", from)?, from_wire::path("to", to)?);
        let session = (session_id.as_str(), owner.as_str());
        let placing = Placing { overwrite, parents };
        let moved = self.worker.move_file(session, (&from, &to), placing).await;
        moved.map_err(|error| status(&error))?;
        Ok(Response::new(wire::FilesDone {}))
    }

    async fn copy_file(
        &self,
        request: Request<wire::PlaceFileRequest>,
    ) -> Result<Response<wire::FileInfo>, Status> {
        let message = request.into_inner();
        let wire::PlaceFileRequest { session_id, owner, from, to, overwrite, parents } = message;
        let (from, to) = (from_wire::path("from", from)?, from_wire::path("to", to)?);
        let session = (session_id.as_str(), owner.as_str());
        let placing = Placing { overwrite, parents };
        let copied = self.worker.copy_file(session, (&from, &to), placing).await;
        Ok(Response::new(to_wire::info(&copied.map_err(|error| status(&error))?)))
    }

    async fn make_directory(
        &self,
        request: Request<wire::MakeDirectoryRequest>,
    ) -> Result<Response<wire::MakeDirectoryResponse>, Status> {
        let message = request.into_inner();
        let wire::MakeDirectoryRequest { session_id, owner, path, parents } = message;
        let path = from_wire::path("path", path)?;
        let session = (session_id.as_str(), owner.as_str());
        let made = self.worker.make_directory(session, &path, parents).await;
        let made = made.map_err(|error| status(&error))?;
        Ok(Response::new(wire::MakeDirectoryResponse { made }))
    }

    async fn watch_files(
        &self,
        request: Request<wire::WatchFilesRequest>,
    ) -> Result<Response<Self::WatchFilesStream>, Status> {
        let wire::WatchFilesRequest { session_id, owner, path, depth } = request.into_inner();
        let path = from_wire::directory("path", path)?;
        let watch = self.worker.watch_files((&session_id, &owner), path, depth).await;
        let mut watch = watch.map_err(|error| status(&error))?;
        // A directory that is not there is told at once.
        let first = watch.next().await.map_err(|error| status(&error))?;
        let (answers, stream) = channel(1);
        let watched = watch::serve(watch, first, answers);
        self.worker.tasks.spawn("watch", watched);
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }
}
