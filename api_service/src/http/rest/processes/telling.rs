//! What happens to a process, as server-sent events.

use actix_web::HttpResponse;
use futures::{Stream, stream};
use serde_json::{Value, json};

use super::json::ProcessAnswer;
use crate::domain::event::OutputStream;
use crate::domain::process::{Process, ProcessEnd, ProcessEvent};
use crate::http::failure::Failure;
use crate::http::failure::problem::Problem;
use crate::http::stream::sse;
use crate::services::processes::{ProcessCaller, ProcessFollowed, ProcessFollower};

/// Who reads it.
struct Reader {
    follower: ProcessFollower,
    process: Process,
    caller: ProcessCaller,
}

/// Everything from where `follower` is to the end, which is told once: with how it ended, or why that is not known.
pub(super) fn respond(
    follower: ProcessFollower,
    process: Process,
    caller: ProcessCaller,
) -> HttpResponse {
    sse::respond(events(Reader { follower, process, caller }))
}

fn events(reader: Reader) -> impl Stream<Item = sse::Event> {
    stream::unfold(Some(reader), |reader| async {
        let mut reader = reader?;
        let (number, name, data) = match reader.follower.next().await {
            Ok(Some(followed)) => reader.tell(followed),
            Ok(None) => return None,
            Err(error) => {
                let failure = Failure::from(error);
                let problem = Problem::of(&failure, reader.caller.request_id.clone());
                (None, FINISHED, json!({"problem": problem}))
            }
        };
        let event = sse::Event::of_json(number, name, data.to_string().into());
        Some((event, (name != FINISHED).then_some(reader)))
    })
}

/// The last event.
const FINISHED: &str = "finished";

impl Reader {
    fn tell(&mut self, followed: ProcessFollowed) -> (Option<u64>, &'static str, Value) {
        match followed {
            ProcessFollowed::Gap { first, last } => {
                (Some(last), "gap", json!({"first": first, "last": last}))
            }
            ProcessFollowed::Event(number, ProcessEvent::Started) => {
                let session = self.caller.session.as_str();
                let data = json!({"process_id": self.process.id.0, "session_id": session});
                (Some(number), "started", data)
            }
            ProcessFollowed::Event(number, ProcessEvent::Output { stream, offset, data }) => {
                let total = match stream {
                    OutputStream::Stdout => &mut self.process.stdout_bytes,
                    OutputStream::Stderr => &mut self.process.stderr_bytes,
                };
                *total = (*total).max(offset + data.len() as u64);
                let text = String::from_utf8_lossy(&data);
                (Some(number), stream.name(), json!({"text": text, "offset": offset}))
            }
            ProcessFollowed::Event(number, ProcessEvent::Ended(end)) => {
                (Some(number), FINISHED, self.ended(end))
            }
        }
    }

    fn ended(&mut self, end: ProcessEnd) -> Value {
        let process = Process { end: Some(end), stdin_open: false, ..self.process.clone() };
        json!(ProcessAnswer::of(&self.caller.session, process))
    }
}
