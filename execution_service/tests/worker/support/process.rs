//! The events of a command, in the order that the contract promises.

use proto::execution_v1 as wire;
use proto::execution_v1::process_event::Event;
use tonic::Streaming;

use super::within;

/// A command whose events are still coming.
pub struct RunningProcess {
    /// In its session.
    pub id: u32,
    stream: Streaming<wire::ProcessEvent>,
    output: Vec<wire::Output>,
}

impl RunningProcess {
    pub async fn begin(mut stream: Streaming<wire::ProcessEvent>) -> Self {
        let first = within("the first event", stream.message()).await.unwrap().unwrap();
        let Some(Event::Started(wire::ProcessStarted { process_id })) = first.event else {
            panic!("the first event is the start: {first:?}");
        };
        Self { id: process_id, stream, output: Vec::new() }
    }

    /// Waits until the command has written `text` to its standard output.
    pub async fn says(&mut self, text: &str) {
        while !self.stdout().contains(text) {
            match self.next().await {
                Event::Output(output) => self.output.push(output),
                other => panic!("{text:?} did not come, but {other:?}: {}", self.stdout()),
            }
        }
    }

    /// Takes in everything up to the end; gives what was written to standard output and how it ended.
    pub async fn finish(mut self) -> (String, wire::ProcessEnded) {
        loop {
            match self.next().await {
                Event::Output(output) => self.output.push(output),
                Event::Ended(ended) => {
                    let more = within("the end of the stream", self.stream.message()).await;
                    assert!(more.unwrap().is_none(), "the end is the last event");
                    return (self.stdout(), ended);
                }
                Event::Started(_) => panic!("a command starts once"),
            }
        }
    }

    async fn next(&mut self) -> Event {
        let message = within("the next event", self.stream.message()).await.unwrap();
        message.expect("the last event is the end").event.expect("an event is something")
    }

    fn stdout(&self) -> String {
        let pieces = self.output.iter().filter(|piece| piece.stream() == wire::Stream::Stdout);
        let bytes: Vec<u8> = pieces.flat_map(|piece| piece.data.clone()).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
