//! What all tests use.

use std::time::Duration;

mod caller;
mod doctor;
mod in_sessions;
mod process;
mod processes;
mod request;
mod run;
mod terminal;
mod worker;

pub use self::caller::{Caller, Refusal};
pub use self::doctor::{after, doctor, output, skipped, without};
pub use self::process::RunningProcess;
pub use self::processes::{Family, cgroups_of, children_of, family_of, inhabitants};
pub use self::request::{
    OWNER, bash, c, in_session, limits, new_session, node, of, python, run, unique,
};
pub use self::run::{Ran, Running};
pub use self::worker::{BINARY, Worker, refusal, refusal_of, token};

/// Long enough for the slowest machine: a test that gets here has failed, not timed.
const NEVER: Duration = Duration::from_secs(120);

/// What `look` finds, once it finds something.
pub async fn eventually<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    within(what, async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
}

/// What comes of `future`; a test that waits for ever says for what.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(NEVER, future).await {
        Ok(value) => value,
        Err(_) => panic!("it never happened: {what}"),
    }
}
