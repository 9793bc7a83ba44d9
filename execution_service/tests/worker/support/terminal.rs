//! One end of a terminal, as somebody has it who looks at it.

use std::time::Duration;

use proto::execution_v1 as wire;
use proto::execution_v1::from_terminal::Message as From;
use proto::execution_v1::to_terminal::Message as To;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::Streaming;

use super::caller::{Caller, Refusal};
use super::within;

/// After which keys that had no effect are typed once more.
const AGAIN: Duration = Duration::from_secs(1);

/// A terminal that is looked at.
pub struct AttachedTerminal {
    /// Where its output began.
    pub offset: u64,
    /// What has come of it since.
    pub shown: Vec<u8>,
    /// Whether what comes is acknowledged.
    pub acknowledges: bool,
    waited_for: String,
    says: mpsc::UnboundedSender<wire::ToTerminal>,
    stream: Streaming<wire::FromTerminal>,
}

impl AttachedTerminal {
    pub async fn begin(caller: &Caller, attach: wire::AttachTerminal) -> Result<Self, Refusal> {
        let (says, said) = mpsc::unbounded_channel();
        says.send(wire::ToTerminal { message: Some(To::Attach(attach)) }).unwrap();
        let mut client = caller.processes();
        let answer = client.attach_terminal(caller.request(UnboundedReceiverStream::new(said)));
        let answer = within("an answer to AttachTerminal", answer).await.map_err(Refusal::from)?;
        let stream = answer.into_inner();
        let waited_for = String::from("a frame");
        let mut this =
            Self { offset: 0, shown: Vec::new(), acknowledges: true, waited_for, says, stream };
        match this.next().await {
            Some(From::Attached(wire::TerminalAttached { offset, missing: _ })) => {
                this.offset = offset;
                Ok(this)
            }
            other => panic!("that comes first: {other:?}"),
        }
    }

    pub fn says(&self, message: To) {
        // Fails when it has ended.
        let _ = self.says.send(wire::ToTerminal { message: Some(message) });
    }

    pub fn types(&self, text: &str) {
        self.says(To::Input(text.as_bytes().to_vec().into()));
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.shown).into_owned()
    }

    /// Types `keys` again and again until it shows `text`.
    pub async fn types_until(&mut self, keys: &str, text: &str) {
        self.types(keys);
        while timeout(AGAIN, self.shows(text)).await.is_err() {
            self.types(keys);
        }
    }

    /// Waits until it has shown `text` behind what was asked for last.
    pub async fn shows(&mut self, text: &str) {
        let end = loop {
            let found = self.shown.windows(text.len()).position(|part| part == text.as_bytes());
            if let Some(at) = found {
                break at + text.len();
            }
            self.waited_for = String::from(text);
            let next = self.next().await;
            assert!(matches!(next, Some(From::Output(_))), "{text:?}: {next:?} {}", self.text());
        };
        self.shown.drain(..end);
    }

    /// What comes next.
    pub async fn next(&mut self) -> Option<From> {
        let waited = format!("{:?} after {:?}", self.waited_for, self.text());
        let message = within(&waited, self.stream.message()).await.unwrap()?.message;
        if let Some(From::Output(wire::TerminalOutput { offset, data })) = &message {
            self.shown.extend_from_slice(data);
            if self.acknowledges {
                self.says(To::Acknowledged(offset + data.len() as u64));
            }
        }
        message
    }
}
