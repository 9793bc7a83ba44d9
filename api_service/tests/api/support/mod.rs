//! What all tests use.

use std::time::Duration;

mod app;
mod artifacts;
mod capabilities;
mod charts;
mod events;
mod fake_files;
mod fake_network;
mod fake_processes;
mod fake_sessions;
mod fake_worker;
mod gateway;
mod life;
mod log;
mod postgres;
mod raw;
mod script;
mod socket;
mod terminal;

pub use self::app::{Answer, App, PASSWORD, SECRET_KEY, settings};
pub use self::events::{Events, Told};
pub use self::fake_worker::{FakeWorker, TOKEN};
pub use self::gateway::Gateway;
pub use self::log::captured;
pub use self::postgres::Postgres;
pub use self::raw::Raw;
pub use self::script::big;
pub use self::socket::Socket;
pub use self::terminal::{TerminalFrame, TerminalSocket};

/// Long enough for the slowest machine: a test that gets here has failed, not timed.
pub const NEVER: Duration = Duration::from_secs(60);

/// What `look` finds, once it finds something.
pub async fn eventually<T>(look: impl AsyncFn() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(NEVER, looking).await.expect("it never happened")
}
