//! How connections to the worker are made.

use std::time::Duration;

use tonic::transport::Endpoint;

use super::{Error, TlsIdentity};

/// A worker that does not take a connection in this time is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// A worker whose machine vanished is noticed after about this time and the next.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(5);
/// Room for one large answer on the way, so that big outputs do not wait for window updates.
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;
/// Largest frame: the 16 KiB of the protocol's default would cut each piece of output in four.
const FRAME: u32 = 256 << 10;

/// Everything about a connection to `url` but the connection. An `https` URL without `tls` would believe
/// nobody, and with it believes only whom `tls` names.
pub(super) fn endpoint(url: &str, tls: Option<TlsIdentity>) -> Result<Endpoint, Error> {
    let endpoint = Endpoint::from_shared(url.to_owned()).map_err(|_| Error::UnusableUrl)?;
    let endpoint = match tls {
        Some(tls) => endpoint.tls_config(tls.config()).map_err(|_| Error::UnusableUrl)?,
        None => endpoint,
    };
    Ok(endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME))
}
