//! The two output streams of a running program: read, counted, recorded, and passed on as far as the
//! soft cap allows.

use std::io;

use crate::sandbox::backend::{OutputStream, Process};

use super::event::Event;
use super::output::{Capped, Piece};
use super::outputs::Recording;
use super::sink::Sink;
use super::stream::Stream;
use super::stream::StreamTotals;

/// After the end: what is in a pipe still counts, what a surviving grandchild goes on writing does
/// not. A pipe holds 256 KiB; user code may have enlarged it to 1 MiB.
const LAST_BYTES: u64 = 1 << 20;

/// Stdout and stderr of one run.
pub(super) struct Streams<'a> {
    stdout: Capped,
    stderr: Capped,
    recording: &'a mut Recording,
}

impl<'a> Streams<'a> {
    pub(super) fn new(limit: u64, recording: &'a mut Recording) -> Self {
        Self { stdout: Capped::new(limit), stderr: Capped::new(limit), recording }
    }

    /// What the longer one has written.
    pub(super) fn largest(&self) -> u64 {
        self.stdout.total().max(self.stderr.total())
    }

    /// Reads once there is something, and room for it: a slow disk holds up the program.
    pub(super) async fn read(
        &self,
        stream: Stream,
        pipe: &mut Box<dyn OutputStream>,
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        self.recording.room(stream).await;
        pipe.read(buffer).await
    }

    /// Takes what was read.
    pub(super) fn push(&mut self, stream: Stream, data: &[u8], sink: &Sink) {
        self.recording.push(stream, data);
        if let Some(piece) = self.capped(stream).push(data) {
            send(stream, piece, sink);
        }
    }

    /// Reads what is in the pipes, and waits for nothing.
    pub(super) fn drain(&mut self, process: &mut Process, buffer: &mut [u8], sink: &Sink) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let end = self.capped(stream).total() + LAST_BYTES;
            while self.capped(stream).total() < end {
                let pipe = match stream {
                    Stream::Stdout => &mut process.stdout,
                    Stream::Stderr => &mut process.stderr,
                };
                match pipe.read_now(buffer) {
                    Ok(Some(count)) if count > 0 => {
                        self.push(stream, &buffer[..count], sink);
                    }
                    Ok(_) | Err(_) => break,
                }
            }
        }
    }

    /// Sends the tails; gives the totals of both.
    pub(super) fn finish(mut self, sink: &Sink) -> (StreamTotals, StreamTotals) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            if let Some(piece) = self.capped(stream).finish() {
                send(stream, piece, sink);
            }
        }
        (self.stdout.totals(), self.stderr.totals())
    }

    fn capped(&mut self, stream: Stream) -> &mut Capped {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }
}

fn send(stream: Stream, Piece { offset, data }: Piece, sink: &Sink) {
    sink.send(Event::Output { stream, offset, data });
}
