//! Answers of the database that are good for a few seconds, so that a busy caller costs one look.

use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::sync::Cache;

/// How long an answer is good for: what another gateway changes is known here after this time.
pub const GOOD_FOR: Duration = Duration::from_secs(5);
/// Most answers that are remembered; those that were not asked for lately make way.
const MAX_ENTRIES: u64 = 10_000;

/// Remembers what was found. What was not found is asked for again, so that a made-up key takes no
/// room and a new one works at once.
pub struct Recent<Key, Value> {
    /// By generation, too: an answer that was asked for before a change, and arrives after it, is put
    /// where nobody looks any more. The cache's own invalidation goes by the time of arrival.
    found: Cache<(u64, Key), Value>,
    /// Grows with every change.
    generation: AtomicU64,
}

impl<Key, Value> Recent<Key, Value>
where
    Key: Eq + Hash + Send + Sync + 'static,
    Value: Clone + Send + Sync + 'static,
{
    /// Knows nothing yet.
    pub fn new() -> Self {
        let found = Cache::builder().max_capacity(MAX_ENTRIES).time_to_live(GOOD_FOR).build();
        Self { found, generation: AtomicU64::new(0) }
    }

    /// What was found lately, or what `look` finds now.
    ///
    /// # Errors
    /// Those of `look`.
    pub async fn find<Error>(
        &self,
        key: Key,
        look: impl Future<Output = Result<Option<Value>, Error>>,
    ) -> Result<Option<Value>, Error> {
        // Read before the look begins: see `found`.
        let key = (self.generation.load(Ordering::Acquire), key);
        if let Some(value) = self.found.get(&key) {
            return Ok(Some(value));
        }
        let found = look.await?;
        if let Some(value) = &found {
            self.found.insert(key, value.clone());
        }
        Ok(found)
    }

    /// Forgets everything: something has changed in the database.
    pub fn forget(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.found.invalidate_all();
    }
}

impl<Key, Value> Default for Recent<Key, Value>
where
    Key: Eq + Hash + Send + Sync + 'static,
    Value: Clone + Send + Sync + 'static,
{
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::ready;

    use super::Recent;

    #[tokio::test]
    async fn what_was_found_is_not_looked_for_again_until_it_is_forgotten() {
        let recent = Recent::<&str, i32>::new();
        let answer = |found| ready(Ok::<_, Infallible>(found));
        assert_eq!(recent.find("a", answer(None)).await, Ok(None));
        assert_eq!(recent.find("a", answer(Some(1))).await, Ok(Some(1)), "a miss is not kept");
        assert_eq!(recent.find("a", answer(Some(2))).await, Ok(Some(1)));
        recent.forget();
        assert_eq!(recent.find("a", answer(None)).await, Ok(None));
    }

    #[tokio::test]
    async fn an_answer_from_before_a_change_is_not_remembered() {
        let recent = Recent::<&str, i32>::new();
        let slow = async {
            recent.forget();
            Ok::<_, Infallible>(Some(1))
        };
        assert_eq!(recent.find("a", slow).await, Ok(Some(1)));
        assert_eq!(recent.find("a", ready(Ok::<_, Infallible>(None))).await, Ok(None));
    }

    /// Why the generation is part of the key: without it the cache gives what arrived after the change.
    #[tokio::test]
    async fn the_cache_alone_would_remember_an_answer_from_before_a_change() {
        let cache = moka::sync::Cache::new(10);
        let late = cache.get_with("a", || {
            cache.invalidate_all();
            1
        });
        assert_eq!((late, cache.get("a")), (1, Some(1)));
    }

    #[tokio::test]
    async fn a_flood_of_answers_takes_no_more_room_than_the_bound() {
        let recent = Recent::<i32, i32>::new();
        for number in 0..30_000 {
            let _ = recent.find(number, ready(Ok::<_, Infallible>(Some(number)))).await;
        }
        recent.found.run_pending_tasks();
        assert!((1..=super::MAX_ENTRIES).contains(&recent.found.entry_count()));
    }
}
