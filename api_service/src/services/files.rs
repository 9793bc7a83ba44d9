//! Files of sessions: a session's worker does it, inside of its sandbox.

use std::time::Duration;

use super::Error;
use super::sessions::Sessions;
use crate::domain::files::{Condition, FileInfo, FilePath, Listing, NewFile, Placing};
use crate::domain::ids::{SessionId, UserId};
use crate::domain::session::Session;
use crate::workers::client::{
    self, Call, Download, FoundFile, InSession, Upload, Watch, WorkerClient,
};
pub use crate::workers::client::{Changes, Sent, Wanted};

/// How long the worker may take for what is done in one step. To remove a directory takes it a minute at most.
const DEADLINE: Duration = Duration::from_secs(90);

/// Does something with files.
#[derive(Clone)]
pub struct Files {
    /// Whose sessions they are in.
    pub sessions: Sessions,
}

/// Whose files, and on whose request.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The caller.
    pub user: &'a UserId,
    /// The session.
    pub session: &'a SessionId,
    /// For the logs.
    pub request_id: &'a str,
}

/// A file or an archive on its way from the worker.
pub struct Contents(Download);

/// A file or an archive on its way to the worker.
pub struct Receiving {
    sessions: Sessions,
    session: Session,
    upload: Upload,
}

impl Files {
    /// That there is such a session.
    ///
    /// # Errors
    /// [`Error::SessionNotFound`] and others of sessions.
    pub async fn find(&self, asked: Asked<'_>) -> Result<(), Error> {
        self.sessions.usable(asked.user, asked.session).await.map(drop)
    }

    /// What is below a directory, or below the workspace: `depth` levels, at most `limit` entries.
    ///
    /// # Errors
    /// [`Error::SessionNotFound`] and others of sessions, or [`Error::File`].
    pub async fn list(
        &self,
        asked: Asked<'_>,
        path: Option<&FilePath>,
        bounds: (u32, u32),
    ) -> Result<Listing, Error> {
        let ask = async |client: &WorkerClient, call: &Call, of: InSession<'_>| {
            client.list_files(call, of, path, bounds).await
        };
        self.ask(asked, ask).await
    }

    /// Opens a file.
    ///
    /// # Errors
    /// As [`Files::list`].
    pub async fn open(
        &self,
        asked: Asked<'_>,
        path: &FilePath,
        wanted: &Wanted,
    ) -> Result<FoundFile, Error> {
        let ask = async |client: &WorkerClient, call: &Call, of: InSession<'_>| {
            client.download(call, of, path, wanted).await
        };
        let found = self.ask(asked, ask).await?;
        if found.no_such_range {
            return Err(Error::NoSuchRange(found.info.size));
        }
        Ok(found)
    }

    /// Opens an archive of a directory, or of the workspace.
    ///
    /// # Errors
    /// As [`Files::list`].
    pub async fn open_archive(
        &self,
        asked: Asked<'_>,
        path: Option<&FilePath>,
    ) -> Result<Contents, Error> {
        let ask = async |client: &WorkerClient, call: &Call, of: InSession<'_>| {
            client.download_archive(call, of, path).await
        };
        self.ask(asked, ask).await.map(Contents)
    }

    /// Begins to receive a file.
    ///
    /// # Errors
    /// As [`Files::list`].
    pub async fn receive(&self, asked: Asked<'_>, new: &NewFile) -> Result<Receiving, Error> {
        let ask = async |client: &WorkerClient, call: &Call, of: InSession<'_>| {
            client.upload(call, of, new).await
        };
        self.receiving(asked, ask).await
    }

    /// Begins to receive an archive, for a directory or the workspace.
    ///
    /// # Errors
    /// As [`Files::list`].
    pub async fn receive_archive(
        &self,
        asked: Asked<'_>,
        path: Option<&FilePath>,
    ) -> Result<Receiving, Error> {
        let ask = async |client: &WorkerClient, call: &Call, of: InSession<'_>| {
            client.upload_archive(call, of, path).await
        };
        self.receiving(asked, ask).await
    }

    /// Removes a file, a link, or a directory: with all that is in it if `whole`.
    ///
    /// # Errors
    /// As [`Files::list`].
    pub async fn remove(
        &self,
        asked: Asked<'_>,
        path: &FilePath,
        whole: bool,
        condition: &Condition,
    ) -> Result<(), Error> {
        let ask = async |client: &WorkerClient, call: &Call, of: InSession<'_>| {
            client.remove_file(call, of, path, whole, condition).await
        };
        self.ask(asked, ask).await
    }

    /// Gives something another name.
    ///
    /// # Errors
    /// As [`Files::list`].
    pub async fn rename(
        &self,
        asked: Asked<'_>,
        names: (&FilePath, &FilePath),
        placing: Placing,
    ) -> Result<(), Error> {
        let ask = async |client: &WorkerClient, call: &Call, of: InSession<'_>| {
            client.move_file(call, of, names, placing).await
        };
        self.ask(asked, ask).await
    }

    /// Copies a file.
    ///
    /// # Errors
    /// As [`Files::list`].
    pub async fn copy(
        &self,
        asked: Asked<'_>,
        names: (&FilePath, &FilePath),
        placing: Placing,
    ) -> Result<FileInfo, Error> {
        let ask = async |client: &WorkerClient, call: &Call, of: InSession<'_>| {
            client.copy_file(call, of, names, placing).await
        };
        self.ask(asked, ask).await
    }

    /// Makes a directory; true if it was not there.
    ///
    /// # Errors
    /// As [`Files::list`].
    pub async fn make_directory(
        &self,
        asked: Asked<'_>,
        path: &FilePath,
        parents: bool,
    ) -> Result<bool, Error> {
        let ask = async |client: &WorkerClient, call: &Call, of: InSession<'_>| {
            client.make_directory(call, of, path, parents).await
        };
        self.ask(asked, ask).await
    }

    /// Begins to watch a directory, or the workspace.
    ///
    /// # Errors
    /// As [`Files::list`].
    pub async fn watch(
        &self,
        asked: Asked<'_>,
        path: Option<&FilePath>,
        depth: u32,
    ) -> Result<Changing, Error> {
        let ask = async |client: &WorkerClient, call: &Call, of: InSession<'_>| {
            client.watch_files(call, of, path, depth).await
        };
        self.ask(asked, ask).await.map(Changing)
    }

    /// Asks the worker of a session; should that have ended, it is noted.
    async fn ask<T>(
        &self,
        asked: Asked<'_>,
        ask: impl AsyncFnOnce(&WorkerClient, &Call, InSession<'_>) -> Result<T, client::Error>,
    ) -> Result<T, Error> {
        let session = self.sessions.usable(asked.user, asked.session).await?;
        self.ask_in(&session, asked, ask).await
    }

    async fn ask_in<T>(
        &self,
        session: &Session,
        asked: Asked<'_>,
        ask: impl AsyncFnOnce(&WorkerClient, &Call, InSession<'_>) -> Result<T, client::Error>,
    ) -> Result<T, Error> {
        let client = self.sessions.home(session)?.client();
        let call = Call { request_id: asked.request_id.to_owned(), deadline: DEADLINE };
        let of = InSession { session: asked.session, owner: asked.user };
        let answer = ask(client, &call, of).await;
        self.sessions.of_live(session, answer).await
    }

    async fn receiving(
        &self,
        asked: Asked<'_>,
        ask: impl AsyncFnOnce(&WorkerClient, &Call, InSession<'_>) -> Result<Upload, client::Error>,
    ) -> Result<Receiving, Error> {
        let session = self.sessions.usable(asked.user, asked.session).await?;
        let upload = self.ask_in(&session, asked, ask).await?;
        Ok(Receiving { sessions: self.sessions.clone(), session, upload })
    }
}

impl Contents {
    /// Of a file that was opened.
    pub fn of(found: FoundFile) -> Self {
        Self(found.content)
    }

    /// The next piece; nothing after the last.
    ///
    /// # Errors
    /// When it breaks off.
    pub async fn next(&mut self) -> Result<Option<bytes::Bytes>, Error> {
        Ok(self.0.next().await?)
    }
}

impl Receiving {
    /// Most bytes of a piece.
    pub const PIECE: usize = Upload::PIECE;

    /// Sends a piece on, of at most [`Receiving::PIECE`] bytes.
    ///
    /// # Errors
    /// [`Error::File`], or the session's end.
    pub async fn send(&mut self, piece: bytes::Bytes) -> Result<(), Error> {
        let sent = self.upload.send(piece).await;
        self.sessions.of_live(&self.session, sent).await
    }

    /// All was sent.
    ///
    /// # Errors
    /// As [`Receiving::send`].
    pub async fn finish(self) -> Result<Sent, Error> {
        let Self { sessions, session, upload } = self;
        sessions.of_live(&session, upload.finish().await).await
    }
}

/// What changes in a workspace. Dropping it ends the watch.
pub struct Changing(Watch);

impl Changing {
    /// The next changes; nothing after the last.
    ///
    /// # Errors
    /// When the worker is lost.
    pub async fn next(&mut self) -> Result<Option<Changes>, Error> {
        Ok(self.0.next().await?)
    }
}
