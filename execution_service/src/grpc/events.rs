//! The events of a run on their way to its caller.

use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use proto::execution_v1 as wire;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::status::{broken, status};
use super::to_wire;
use crate::execution::event::Event;
use crate::worker::Accepted;

/// Batches on their way to a caller who reads slowly; the worker's own queue behind them is bounded by
/// the limits of the run.
const IN_FLIGHT: usize = 64;
/// How long an event may wait for the next one. A run that is over by then is told in one packet, which
/// wakes the caller once instead of three times; nobody who watches a stream notices.
const GATHER: Duration = Duration::from_millis(1);
/// With so many bytes of output a packet is full.
const FULL: usize = 32 << 10;

/// Goes out together.
pub type Batch = Vec<Result<wire::ExecutionEvent, Status>>;

/// Where batches go in, and the stream that comes out.
pub fn channel()
-> (mpsc::Sender<Batch>, impl Stream<Item = Result<wire::ExecutionEvent, Status>> + Send + use<>) {
    let (sender, receiver) = mpsc::channel(IN_FLIGHT);
    (sender, ReceiverStream::new(receiver).flat_map(stream::iter))
}

/// Sends the events of a run, and at the end its error if it has no outcome. Stops early when the
/// caller has gone, which drops the events and thereby cancels the run.
pub async fn forward(
    Accepted { mut events, done }: Accepted,
    id: String,
    sender: mpsc::Sender<Batch>,
) {
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            () = sender.closed() => return,
        };
        let Some(event) = event else { break };
        let (gathered, is_last) = gather(event, &mut events).await;
        let batch = gathered.into_iter().map(|event| Ok(to_wire::event(event, &id))).collect();
        if sender.send(batch).await.is_err() || is_last {
            return;
        }
    }
    let error = match done.await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => status(&error),
        Err(panic) => {
            tracing::error!(error = %panic, "the task of a run broke down");
            broken()
        }
    };
    // Nobody is there to hear it: the error is in the log.
    let _ = sender.send(vec![Err(error)]).await;
}

/// What comes soon after `first`, and whether the last event is among it.
async fn gather(first: Event, events: &mut mpsc::UnboundedReceiver<Event>) -> (Vec<Event>, bool) {
    let patience_ends = Instant::now() + GATHER;
    let mut bytes = weight(&first);
    let mut is_last = matches!(first, Event::Outcome(_));
    let mut gathered = vec![first];
    while !is_last && bytes < FULL {
        let Ok(Some(event)) = timeout_at(patience_ends, events.recv()).await else { break };
        bytes += weight(&event);
        is_last = matches!(event, Event::Outcome(_));
        gathered.push(event);
    }
    (gathered, is_last)
}

fn weight(event: &Event) -> usize {
    match event {
        Event::Output { data, .. } => data.len(),
        Event::Result(_) => FULL,
        Event::Started | Event::Outcome(_) => 0,
    }
}
