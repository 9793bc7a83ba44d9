//! Keeps the queues filled: as many warm runners as there was demand for lately.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Pool;
use super::warm_queue::WarmQueue;
use crate::tasks::Tasks;

/// A queue that was found empty doubles; after so long without that it shrinks by one.
const CALM: Duration = Duration::from_secs(60);
/// Sandboxes of one queue that are being made at once: more would take the processors from the programs
/// that run, and hold up those that wait for one on the spot.
const AT_ONCE: usize = 2;
/// After a failure to make one, in which something is wrong that will not be better at once.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// Between two looks for sandboxes that have died in their queue. Whoever takes one looks, too.
const LOOK: Duration = Duration::from_secs(5);

impl Pool {
    /// Starts to fill the queues, and keeps them filled until `shutdown`.
    pub fn keep_filled(self: &Arc<Self>, tasks: &Tasks, shutdown: &CancellationToken) {
        for key in self.queues.keys() {
            let (pool, key, shutdown) = (Arc::clone(self), *key, shutdown.clone());
            tasks.spawn("pool", async move {
                let Some(queue) = pool.queues.get(&key) else {
                    return;
                };
                tokio::select! {
                    () = pool.fill(queue) => {}
                    () = queue.keep_zygote() => {}
                    () = shutdown.cancelled() => {}
                }
                // What is left in the queue ends with it.
                for runner in queue.clear() {
                    runner.sandbox.end().await;
                }
            });
        }
    }

    async fn fill(&self, queue: &WarmQueue) {
        if let Some(keeper) = &queue.zygotes {
            keeper.settled().await;
        }
        let mut making = FuturesUnordered::new();
        let mut calm = Instant::now() + CALM;
        let mut look = Instant::now() + LOOK;
        loop {
            while making.len() < AT_ONCE && queue.lacks(making.len()) {
                making.push(self.make(queue, self.limits));
            }
            tokio::select! {
                Some(made) = making.next() => match made {
                    Ok(runner) => queue.put(runner),
                    Err(error) => {
                        let language = queue.language;
                        tracing::error!(%language, %error, "could not make a warm sandbox");
                        tokio::time::sleep(AFTER_FAILURE).await;
                    }
                },
                () = queue.taken.notified() => {
                    calm = Instant::now() + CALM;
                    queue.grow_if_empty(self.size.max);
                }
                () = sleep_until(look) => {
                    look = Instant::now() + LOOK;
                    queue.drop_dead();
                }
                () = sleep_until(calm) => {
                    calm = Instant::now() + CALM;
                    queue.shrink(self.size.initial);
                }
            }
        }
    }
}
