//! Both streams of a run.

use std::sync::Arc;

use super::Outputs;
use super::entry::{Kept, Name};
use super::recorder::Recorder;
use crate::execution::stream::Stream;
use crate::execution::stream::StreamTotals;

/// Records both streams of one run, over all of its steps. Dropped, it leaves nothing.
pub struct Recording {
    stdout: Recorder,
    stderr: Recorder,
}

impl Recording {
    /// Of `owner`'s run `execution`; without a store it records nothing.
    pub fn new(store: Option<&Arc<Outputs>>, execution: &str, owner: &str) -> Self {
        let recorder = |stream| {
            let name = Name { execution: String::from(execution), kept: Kept::Stream(stream) };
            Recorder::new(store, name, owner)
        };
        Self { stdout: recorder(Stream::Stdout), stderr: recorder(Stream::Stderr) }
    }

    /// Completes when more of `stream` can be taken. Whoever pushes without asking fills our memory.
    pub async fn room(&self, stream: Stream) {
        match stream {
            Stream::Stdout => self.stdout.room().await,
            Stream::Stderr => self.stderr.room().await,
        }
    }

    /// Takes what was read.
    pub fn push(&mut self, stream: Stream, data: &[u8]) {
        match stream {
            Stream::Stdout => self.stdout.push(data),
            Stream::Stderr => self.stderr.push(data),
        }
    }

    /// The run is over: notes beside what the answer holds of its streams what is stored of them.
    pub async fn finish(self, stdout: &mut StreamTotals, stderr: &mut StreamTotals) {
        let Self { stdout: out, stderr: err } = self;
        (stdout.stored, stderr.stored) =
            tokio::join!(out.finish(stdout.truncated), err.finish(stderr.truncated));
    }
}
