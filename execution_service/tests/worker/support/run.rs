//! The events of a run, in the order that the contract promises.

use proto::execution_v1 as wire;
use proto::execution_v1::execution_event::Event;
use tonic::Streaming;

use super::caller::Refusal;
use super::within;

/// A run whose events are still coming.
pub struct Running {
    /// Its execution id.
    pub id: String,
    stream: Streaming<wire::ExecutionEvent>,
    seen: Ran,
}

/// A run that is over.
#[derive(Debug, Default)]
pub struct Ran {
    started: bool,
    /// Pieces of output as they came.
    pub pieces: Vec<wire::Output>,
    pub results: Vec<wire::RichResult>,
    outcome: Option<wire::Outcome>,
}

impl Running {
    pub fn new(id: String, stream: Streaming<wire::ExecutionEvent>) -> Self {
        Self { id, stream, seen: Ran::default() }
    }

    /// Takes in one more event; `false` when there are no more.
    async fn next(&mut self) -> Result<bool, Refusal> {
        let message = within("the next event", self.stream.message()).await;
        let Some(event) = message.map_err(Refusal::from)? else {
            return Ok(false);
        };
        let seen = &mut self.seen;
        assert_eq!(seen.outcome, None, "the outcome is the last event");
        match event.event.expect("an event is something") {
            Event::Started(wire::Started { execution_id }) => {
                assert_eq!(execution_id, self.id);
                assert!(!seen.started && seen.pieces.is_empty() && seen.results.is_empty());
                seen.started = true;
            }
            Event::Output(output) => {
                assert!(seen.started, "nothing comes before the start");
                seen.pieces.push(output);
            }
            Event::Result(result) => seen.results.push(result),
            Event::Outcome(outcome) => seen.outcome = Some(outcome),
        }
        Ok(true)
    }

    /// Waits until the program has written `text` to its standard output.
    pub async fn says(&mut self, text: &str) {
        while !self.seen.stdout().contains(text) {
            let more = self.next().await.unwrap();
            assert!(more, "{text:?} did not come: {:?}", self.seen);
            let over = self.seen.outcome.is_some() && !self.seen.stdout().contains(text);
            assert!(!over, "{text:?} did not come: {:?}", self.seen);
        }
    }

    /// Takes in everything up to the outcome.
    pub async fn finish(self) -> Ran {
        let ran = self.try_finish().await.unwrap();
        assert!(ran.outcome.is_some(), "no outcome: {ran:?}");
        ran
    }

    /// Takes in everything that comes, outcome or not.
    pub async fn try_finish(mut self) -> Result<Ran, Refusal> {
        while self.next().await? {}
        Ok(self.seen)
    }
}

impl Ran {
    /// How it ended.
    pub fn outcome(&self) -> &wire::Outcome {
        self.outcome.as_ref().expect("an outcome")
    }

    pub fn status(&self) -> wire::Status {
        self.outcome().status()
    }

    /// Of its diagnostic.
    pub fn limit(&self) -> &str {
        let Some(diagnostic) = &self.outcome().diagnostic else {
            panic!("no diagnostic: {self:?}");
        };
        assert_eq!(diagnostic.kind, "limit", "{self:?}");
        &diagnostic.name
    }

    pub fn stdout(&self) -> String {
        self.text_of(wire::Stream::Stdout)
    }

    pub fn stderr(&self) -> String {
        self.text_of(wire::Stream::Stderr)
    }

    /// Standard output of a run that went well.
    #[track_caller]
    pub fn printed(&self) -> String {
        assert_eq!(self.status(), wire::Status::Succeeded, "{self:?}");
        self.stdout()
    }

    fn text_of(&self, stream: wire::Stream) -> String {
        let pieces = self.pieces.iter().filter(|piece| piece.stream() == stream);
        let bytes: Vec<u8> = pieces.flat_map(|piece| piece.data.clone()).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
