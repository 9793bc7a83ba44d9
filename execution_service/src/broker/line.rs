//! A connection to a host of the outside, which counts what passes and is cut when it may not go on.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::gate::Gate;
use super::limits::IDLE;
use crate::network::{Destination, Rule, Verdict};

/// A connection, counted. Its end is told.
pub struct Line {
    stream: TcpStream,
    account: Arc<Account>,
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Plain requests, each of which is checked.
    Requests,
    /// Whatever comes.
    Tunnel,
}

/// What a line has done.
pub struct Account {
    gate: Arc<Gate>,
    destination: Destination,
    purpose: Purpose,
    sent: AtomicU64,
    received: AtomicU64,
    /// Why it was cut, if it was.
    cut: Mutex<Option<&'static str>>,
}

impl Drop for Account {
    fn drop(&mut self) {
        let counted = (self.sent.load(Ordering::Relaxed), self.received.load(Ordering::Relaxed));
        let cut = self.cut.lock().unwrap_or_else(PoisonError::into_inner).take();
        let verdict = cut.map_or(Verdict::Allowed, |why| Verdict::Cut(String::from(why)));
        self.gate.tell(&self.destination, counted, verdict);
    }
}

impl Account {
    /// Waits until the line must be cut: it has done nothing for too long, or may not go on by the policy.
    pub async fn must_end(&self) {
        let mut changes = self.gate.changes();
        loop {
            // Before the first wait, too: the policy may have changed while this was being connected.
            if let Err(rule) = self.gate.still_allows(&self.destination, self.purpose) {
                self.note(rule.name());
                return;
            }
            let before = self.passed();
            let why = tokio::select! {
                changed = changes.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return,
                },
                () = sleep(IDLE) => "idle",
            };
            if self.passed() == before {
                self.note(why);
                return;
            }
        }
    }

    fn note(&self, why: &'static str) {
        self.cut.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
    }

    fn passed(&self) -> u64 {
        self.sent.load(Ordering::Relaxed) + self.received.load(Ordering::Relaxed)
    }

    /// Counts what has passed.
    fn count(&self, of: &AtomicU64, bytes: usize) {
        let bytes = bytes as u64;
        of.fetch_add(bytes, Ordering::Relaxed);
        self.gate.passed(bytes);
    }

    /// Whether anything more may pass.
    fn check(&self) -> io::Result<()> {
        if self.gate.has_bytes_left() {
            return Ok(());
        }
        self.note(Rule::Bytes.name());
        Err(io::Error::other("max_bytes is used up"))
    }
}

impl Line {
    /// Of a new connection.
    pub fn new(
        stream: TcpStream,
        gate: Arc<Gate>,
        destination: Destination,
        purpose: Purpose,
    ) -> Self {
        let (sent, received) = (AtomicU64::new(0), AtomicU64::new(0));
        let cut = Mutex::new(None);
        let account = Account { gate, destination, purpose, sent, received, cut };
        Self { stream, account: Arc::new(account) }
    }

    /// What it has done.
    pub fn account(&self) -> Arc<Account> {
        Arc::clone(&self.account)
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.account.check()?;
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        self.account.count(&self.account.received, buffer.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.account.check()?;
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        self.account.count(&self.account.sent, written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.account.check()?;
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, pieces))?;
        self.account.count(&self.account.sent, written);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Passes everything on between a program and the outside, until both have said all, or the line must end.
pub async fn pass_on(mut program: impl AsyncRead + AsyncWrite + Unpin, mut line: Line) {
    let account = line.account();
    let piece = super::limits::PIECE;
    let passing = tokio::io::copy_bidirectional_with_sizes(&mut program, &mut line, piece, piece);
    tokio::select! {
        // How it ended is of no interest: both have been told by their own ends.
        _ = passing => {}
        () = account.must_end() => {}
    }
}
