//! What happens to a process, as server-sent events.

use actix_web::HttpResponse;
use futures::{Stream, stream};
use serde_json::{Value, json};

use super::json::ProcessAnswer;
use crate::domain::event::OutputStream;
use crate::domain::process::{Process, ProcessEnd, ProcessEvent};
use crate::http::failure::Failure;
use crate::http::rest::executions::telling::{FINISHED, Told, gap, problem};
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
        let told = match reader.follower.next().await {
            Ok(Some(followed)) => reader.tell(followed),
            Ok(None) => return None,
            Err(error) => {
                let data = problem(&Failure::from(error), &reader.caller.request_id);
                Told { number: None, name: FINISHED, data }
            }
        };
        let is_last = told.name == FINISHED;
        Some((told.into(), (!is_last).then_some(reader)))
    })
}

impl Reader {
    fn tell(&mut self, followed: ProcessFollowed) -> Told {
        let (number, name, data) = match followed {
            ProcessFollowed::Gap { first, last } => return gap(first, Some(last)),
            ProcessFollowed::Event(number, ProcessEvent::Started) => {
                let session = self.caller.session.as_str();
                let data = json!({"process_id": self.process.id.0, "session_id": session});
                (number, "started", data)
            }
            ProcessFollowed::Event(number, ProcessEvent::Output { stream, offset, data }) => {
                let total = match stream {
                    OutputStream::Stdout => &mut self.process.stdout_bytes,
                    OutputStream::Stderr => &mut self.process.stderr_bytes,
                };
                *total = (*total).max(offset + data.len() as u64);
                let text = String::from_utf8_lossy(&data);
                (number, stream.name(), json!({"text": text, "offset": offset}))
            }
            ProcessFollowed::Event(number, ProcessEvent::Ended(end)) => {
                (number, FINISHED, self.ended(end))
            }
        };
        Told { number: Some(number), name, data: data.to_string().into() }
    }

    fn ended(&mut self, end: ProcessEnd) -> Value {
        let process = Process { end: Some(end), stdin_open: false, ..self.process.clone() };
        json!(ProcessAnswer::of(&self.caller.session, process))
    }
}
