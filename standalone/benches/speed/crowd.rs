//! Callers who do the same at once, each in a thread of its own.

use std::thread::scope;

use anyhow::anyhow;

/// What all of them have gathered, one caller's after the other's.
///
/// # Errors
/// That of the first one who failed; the others are waited for all the same.
pub fn gather<T: Send>(
    callers: u32,
    caller: impl Fn() -> anyhow::Result<Vec<T>> + Sync,
) -> anyhow::Result<Vec<T>> {
    scope(|scope| {
        let threads: Vec<_> = (0..callers).map(|_| scope.spawn(&caller)).collect();
        let mut gathered = Vec::new();
        for thread in threads {
            gathered.extend(thread.join().map_err(|_| anyhow!("a caller panicked"))??);
        }
        Ok(gathered)
    })
}
