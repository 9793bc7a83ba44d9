//! Connections, and what they may take before somebody on them has shown the token. Each is an open file
//! of the process that needs open files for sandboxes, and whoever reaches the port can make one.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::CancellationToken;
use tonic::transport::server::Connected;

/// How long a caller may take to show the token, from its connection on; a gateway does so at once.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most connections on which nobody has; the oldest make way.
const MOST_UNAUTHENTICATED: usize = 64;

/// Takes connections on. Cheap to clone.
#[derive(Clone, Default)]
pub struct Connections {
    unauthenticated: Arc<Mutex<VecDeque<Weak<State>>>>,
}

/// Whether somebody on a connection has shown the token.
#[derive(Clone, Debug)]
pub struct Authentication(Arc<State>);

#[derive(Debug, Default)]
struct State {
    authenticated: AtomicBool,
    /// When it has to make way.
    ended: CancellationToken,
}

/// One connection.
pub struct Connection<Io> {
    io: Io,
    state: Arc<State>,
    /// Ready when an unauthenticated caller's time is up; `None` once it was.
    patience: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Connections {
    /// A new connection, of nobody known.
    pub fn take<Io>(&self, io: Io) -> Connection<Io> {
        self.take_for(io, PATIENCE)
    }

    fn take_for<Io>(&self, io: Io, patience: Duration) -> Connection<Io> {
        let state = Arc::new(State::default());
        let mut unauthenticated =
            self.unauthenticated.lock().unwrap_or_else(PoisonError::into_inner);
        unauthenticated.retain(|one| one.upgrade().is_some_and(|one| !one.is_authenticated()));
        if unauthenticated.len() >= MOST_UNAUTHENTICATED
            && let Some(oldest) = unauthenticated.pop_front().and_then(|one| one.upgrade())
        {
            oldest.ended.cancel();
        }
        unauthenticated.push_back(Arc::downgrade(&state));
        let ended = state.ended.clone();
        let patience = async move {
            let _ = tokio::time::timeout(patience, ended.cancelled()).await;
        };
        Connection { io, state, patience: Some(Box::pin(patience)) }
    }
}

impl Authentication {
    /// Somebody on this connection has shown the token.
    pub fn succeeded(&self) {
        self.0.authenticated.store(true, Ordering::Relaxed);
    }
}

impl State {
    fn is_authenticated(&self) -> bool {
        self.authenticated.load(Ordering::Relaxed)
    }
}

impl<Io> Connection<Io> {
    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        if let Some(patience) = &mut self.patience
            && patience.as_mut().poll(context).is_ready()
        {
            self.patience = None;
        }
        self.patience.is_none() && !self.state.is_authenticated()
    }
}

impl<Io> Connected for Connection<Io> {
    type ConnectInfo = Authentication;

    fn connect_info(&self) -> Authentication {
        Authentication(Arc::clone(&self.state))
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Connection<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_over(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Connection<Io> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.io).poll_shutdown(context))?;
        Poll::Ready(Ok(()))
    }
}

impl<Io> fmt::Debug for Connection<Io> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("state", &self.state).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn who_does_not_show_the_token_is_hung_up_on() {
        let connections = Connections::default();
        let (_theirs, ours) = duplex(16);
        let mut connection = connections.take_for(ours, Duration::from_millis(1));
        assert_eq!(connection.read_u8().await.unwrap_err().kind(), ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn who_has_shown_it_may_be_silent() {
        let connections = Connections::default();
        let (mut theirs, ours) = duplex(16);
        let mut connection = connections.take_for(ours, Duration::ZERO);
        connection.connect_info().succeeded();
        theirs.write_u8(7).await.unwrap();
        assert_eq!(connection.read_u8().await.unwrap(), 7);
    }

    #[tokio::test]
    async fn of_too_many_strangers_the_oldest_makes_way_and_nobody_known() {
        let connections = Connections::default();
        let (mut theirs, ours) = duplex(16);
        let mut friend = connections.take(ours);
        friend.connect_info().succeeded();
        let mut open: Vec<_> = (0..=MOST_UNAUTHENTICATED)
            .map(|_| duplex(16))
            .map(|(theirs, ours)| (theirs, connections.take(ours)))
            .collect();
        let (_, oldest) = &mut open[0];
        assert_eq!(oldest.read_u8().await.unwrap_err().kind(), ErrorKind::TimedOut);
        let (caller, second) = &mut open[1];
        caller.write_u8(7).await.unwrap();
        assert_eq!(second.read_u8().await.unwrap(), 7);
        theirs.write_u8(8).await.unwrap();
        assert_eq!(friend.read_u8().await.unwrap(), 8);
    }
}
