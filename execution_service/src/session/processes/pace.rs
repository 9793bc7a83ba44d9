//! How fast the commands of a session are read: they may write gigabytes in a second, and to read what nobody wants
//! would take a processor from everybody.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Bytes of one session that are read at once: much less than a log keeps, so that who follows one can keep up.
const BURST: u64 = 1 << 20;
/// For as many bytes. Together 80 MiB in a second, which takes a few hundredths of a processor.
const PERIOD: Duration = Duration::from_millis(12);

/// What was read of one session in the present period.
#[derive(Debug)]
pub(super) struct Pace(Mutex<(Instant, u64)>);

impl Default for Pace {
    fn default() -> Self {
        Self(Mutex::new((Instant::now(), 0)))
    }
}

impl Pace {
    /// So many bytes were read; completes when more may be.
    pub(super) async fn keep(&self, bytes: usize) {
        let next = {
            let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let (begun, read) = &mut *guard;
            if begun.elapsed() >= PERIOD {
                (*begun, *read) = (Instant::now(), 0);
            }
            *read += bytes as u64;
            (*read > BURST).then_some(*begun + PERIOD)
        };
        if let Some(next) = next {
            sleep_until(next).await;
        }
    }
}
