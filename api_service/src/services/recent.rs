//! Answers of the database that are good for a few seconds, so that a busy caller costs one look.
//!
//! A cache from a crate would do but for one thing: an answer that was asked for before something
//! changed, and arrives after it, must not be remembered.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer is good for: what another gateway changes is known here after this time.
pub const GOOD_FOR: Duration = Duration::from_secs(5);
/// Most answers that are remembered.
const MOST: usize = 10_000;

/// Remembers what was found. What was not found is asked for again, so that a made-up key takes no
/// room and a new one works at once.
#[derive(Debug)]
pub struct Recent<Key, Value> {
    memory: Mutex<Memory<Key, Value>>,
}

#[derive(Debug)]
struct Memory<Key, Value> {
    found: HashMap<Key, (Instant, Value)>,
    /// Grows when everything is forgotten.
    age: u64,
}

impl<Key: Eq + Hash, Value: Clone> Recent<Key, Value> {
    /// Knows nothing yet.
    pub fn new() -> Self {
        Self { memory: Mutex::new(Memory { found: HashMap::new(), age: 0 }) }
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
        let age = {
            let memory = self.memory();
            match memory.found.get(&key) {
                Some((at, value)) if at.elapsed() < GOOD_FOR => return Ok(Some(value.clone())),
                Some(_) | None => memory.age,
            }
        };
        let found = look.await?;
        if let Some(value) = &found {
            let mut memory = self.memory();
            if memory.age == age {
                memory.remember(key, value.clone());
            }
        }
        Ok(found)
    }

    /// Forgets everything: something changed.
    pub fn forget(&self) {
        let mut memory = self.memory();
        memory.found.clear();
        memory.age += 1;
    }

    fn memory(&self) -> MutexGuard<'_, Memory<Key, Value>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Key: Eq + Hash, Value> Memory<Key, Value> {
    fn remember(&mut self, key: Key, value: Value) {
        if self.found.len() >= MOST {
            self.found.retain(|_, (at, _)| at.elapsed() < GOOD_FOR);
        }
        // So many at once cost a look each until some are old.
        if self.found.len() < MOST {
            self.found.insert(key, (Instant::now(), value));
        }
    }
}

impl<Key: Eq + Hash, Value: Clone> Default for Recent<Key, Value> {
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
        let recent = Recent::new();
        let answer = |found| ready(Ok::<_, Infallible>(found));
        assert_eq!(recent.find("a", answer(None)).await, Ok(None));
        assert_eq!(recent.find("a", answer(Some(1))).await, Ok(Some(1)), "a miss is not kept");
        assert_eq!(recent.find("a", answer(Some(2))).await, Ok(Some(1)));
        recent.forget();
        assert_eq!(recent.find("a", answer(None)).await, Ok(None));
    }

    #[tokio::test]
    async fn an_answer_from_before_a_change_is_not_remembered() {
        let recent = Recent::new();
        let slow = async {
            recent.forget();
            Ok::<_, Infallible>(Some(1))
        };
        assert_eq!(recent.find("a", slow).await, Ok(Some(1)));
        assert_eq!(recent.find("a", ready(Ok::<_, Infallible>(None))).await, Ok(None));
    }
}
