//! The events of a command, in the order that the contract promises.

use std::collections::VecDeque;

use proto::execution_v1 as wire;
use proto::execution_v1::process_event::Event;

use super::caller::Caller;

/// A command whose events are still coming.
pub struct RunningProcess {
    /// In its session.
    pub id: u32,
    caller: Caller,
    session: String,
    /// The number of the last event.
    after: u64,
    ready: VecDeque<Event>,
    over: bool,
    output: Vec<wire::Output>,
}

impl RunningProcess {
    pub fn new(caller: Caller, session: &str, id: u32) -> Self {
        let (session, ready) = (String::from(session), VecDeque::new());
        Self { id, caller, session, after: 0, ready, over: false, output: Vec::new() }
    }

    /// Waits until the command has written `text` to its standard output.
    pub async fn says(&mut self, text: &str) {
        while !self.stdout().contains(text) {
            match self.next().await {
                Event::Started(_) => {}
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
                    assert!(self.over && self.ready.is_empty(), "the end is the last event");
                    return (self.stdout(), ended);
                }
                Event::Started(_) => {}
            }
        }
    }

    async fn next(&mut self) -> Event {
        while self.ready.is_empty() {
            let read = self.caller.read_process(&self.session, self.id, self.after).await;
            let wire::ProcessEvents { events, over } = read.unwrap();
            for wire::ProcessEvent { event, number } in events {
                assert!(number > self.after, "each number comes once");
                self.after = number;
                self.ready.push_back(event.expect("an event is something"));
            }
            self.over = over;
        }
        self.ready.pop_front().unwrap()
    }

    fn stdout(&self) -> String {
        let pieces = self.output.iter().filter(|piece| piece.stream() == wire::Stream::Stdout);
        let bytes: Vec<u8> = pieces.flat_map(|piece| piece.data.clone()).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
