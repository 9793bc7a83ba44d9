//! Runs of code.

use proto::execution_v1 as wire;
use tonic::Streaming;

use super::{Call, Error, WorkerClient, from_wire, to_wire};
use crate::domain::artifact::FilePath;
use crate::domain::event::{Event, OutputStream};
use crate::domain::ids::{ExecutionId, UserId};
use crate::domain::run::{Input, RunRequest};

impl WorkerClient {
    /// Starts a run and gives its events. Dropping them ends a stateless run.
    ///
    /// # Errors
    /// When the worker cannot be reached or does not take the run.
    pub async fn execute(
        &self,
        call: &Call,
        id: &ExecutionId,
        owner: &UserId,
        run: &RunRequest,
    ) -> Result<Events, Error> {
        let message = to_wire::execute(id, owner, run);
        let stream =
            self.call(call, message, async |rpc, request| rpc.executions().execute(request).await);
        Ok(Events { stream: stream.await? })
    }

    /// Ends a run early.
    ///
    /// # Errors
    /// [`Error::ExecutionNotFound`] when nothing by that id runs for that owner.
    pub async fn cancel(&self, call: &Call, id: &ExecutionId, owner: &UserId) -> Result<(), Error> {
        let message = wire::CancelRequest {
            execution_id: id.as_str().to_owned(),
            owner: owner.as_str().to_owned(),
        };
        let answer =
            self.call(call, message, async |rpc, request| rpc.executions().cancel(request).await);
        answer.await.map(|wire::CancelResponse {}| ())
    }

    /// Writes to the standard input of a run.
    ///
    /// # Errors
    /// [`Error::ExecutionNotFound`], [`Error::InputClosed`] or [`Error::InputFull`].
    pub async fn write_input(
        &self,
        call: &Call,
        id: &ExecutionId,
        owner: &UserId,
        input: &Input,
    ) -> Result<(), Error> {
        let Input { data, end } = input.clone();
        let message = wire::WriteInputRequest {
            execution_id: id.as_str().to_owned(),
            owner: owner.as_str().to_owned(),
            data: data.into(),
            end,
        };
        let send = async |rpc: super::Rpc, request| rpc.executions().write_input(request).await;
        self.call(call, message, send).await.map(|wire::WriteInputResponse {}| ())
    }

    /// Some of what a run that has ended wrote to `stream`: from byte `offset` on, at most `length`.
    /// Some of what is stored of a run that has ended: from byte `offset` on, at most `length`.
    ///
    /// # Errors
    /// [`Error::OutputNotFound`] when the worker does not store it for that owner.
    pub async fn read_output(
        &self,
        call: &Call,
        id: &ExecutionId,
        owner: &UserId,
        stored: &Stored,
        (offset, length): (u64, u64),
    ) -> Result<StoredPiece, Error> {
        let message = wire::ReadOutputRequest {
            execution_id: id.as_str().to_owned(),
            owner: owner.as_str().to_owned(),
            stream: match stored {
                Stored::Output(stream) => i32::from(to_wire::stream(*stream)),
                Stored::Artifact(_) => i32::from(wire::Stream::Unspecified),
            },
            offset,
            length,
            artifact: match stored {
                Stored::Output(_) => None,
                Stored::Artifact(path) => Some(path.0.clone().into()),
            },
        };
        let answer = self
            .call(call, message, async |rpc, request| rpc.executions().read_output(request).await);
        let wire::OutputPiece { stored, total, data } = answer.await?;
        Ok(StoredPiece { stored, total, data: data.into() })
    }
}

/// Something that a worker stores of a run.
#[derive(Debug, Clone)]
pub enum Stored {
    /// All that was written to a stream.
    Output(OutputStream),
    /// A file that was collected, or a large result.
    Artifact(FilePath),
}

/// Some of it.
#[derive(Debug)]
pub struct StoredPiece {
    /// How many bytes are stored in all.
    pub stored: u64,
    /// How many the program wrote.
    pub total: u64,
    /// Those that were asked for, or the first of them.
    pub data: Vec<u8>,
}

/// The events of a run. Must be read to the end; dropping them ends a stateless run.
pub struct Events {
    stream: Streaming<wire::ExecutionEvent>,
}

impl Events {
    /// The next event; `None` after the last.
    ///
    /// # Errors
    /// When the worker gives the run up or is lost.
    pub async fn next(&mut self) -> Result<Option<Event>, Error> {
        match self.stream.message().await? {
            Some(event) => from_wire::event(event).map(Some),
            None => Ok(None),
        }
    }
}
