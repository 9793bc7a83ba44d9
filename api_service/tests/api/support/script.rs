//! What the fake worker does with the code it is given.
//!
//! | code | what happens |
//! | --- | --- |
//! | `say <text>` | writes the text and succeeds |
//! | `hang` | writes "begun" and goes on until it is cancelled or its caller goes away |
//! | `wait` | waits for its turn, and then hangs |
//! | `steps` | writes a line each time that it gets its turn, three of them |
//! | `echo` | writes what it reads on standard input, to the end of it |
//! | `split` | writes "aä€", cut within its characters, and half a character |
//! | `many` | writes 10,000 bytes, one by one |
//! | `gap` | writes more than is kept, and bytes that are not text |
//! | `big <when>` | writes [`big`], of which the worker stores all until `when`, in unix milliseconds |
//! | `mixed` | writes to both streams in turns, displays something, and ends with a diagnostic |
//! | `chart` | displays charts and tables |
//! | `draw` | displays a large image that is stored |
//! | `extreme` | says of itself what no run can be |
//! | `long` | displays 12 MiB of results |
//! | `flood` | displays results without end |
//! | `fail` | ends with a diagnostic |
//! | `end` | writes "begun", and is ended by a worker that is told to stop |
//! | `die` | breaks off without an outcome |
//! | `full`, `owner full`, `refuse`, `break`, `lose`, `spoil <text>` | is refused, as the contract describes |

use proto::execution_v1 as wire;
use proto::execution_v1::execution_event::Event;
use proto::wire::{ERROR_FIELD, ERROR_REASON, QUEUE_LENGTH, QUEUE_POSITION, RETRY_AFTER, reason};
use tokio::sync::{Notify, mpsc};
use tonic::{Code, Status};

use super::{artifacts, charts};

pub type Sent = Result<wire::ExecutionEvent, Status>;

/// What is said instead of an answer, for codes that are refused.
pub fn refusal(code: &str) -> Option<Status> {
    match code {
        "full" => Some(queue_full(Code::Unavailable, reason::WORKER_FULL)),
        "owner full" => Some(queue_full(Code::ResourceExhausted, reason::OWNER_FULL)),
        "refuse" => {
            let too_much = "must be at most 1 GiB";
            let mut status = failed(Code::InvalidArgument, reason::INVALID_ARGUMENT, too_much);
            status.metadata_mut().insert(ERROR_FIELD, "limits.memory_bytes".parse().unwrap());
            Some(status)
        }
        "break" => Some(failed(Code::Internal, reason::INTERNAL, "secret-of-the-worker")),
        spoil if spoil.starts_with("spoil ") => {
            Some(failed(Code::Internal, reason::INTERNAL, spoil))
        }
        "lose" => Some(failed(Code::NotFound, reason::SESSION_LOST, "lost")),
        _ => None,
    }
}

/// What a script waits for.
pub struct Signs<'a> {
    /// It was cancelled.
    pub stop: &'a Notify,
    /// It may go on.
    pub turn: &'a Notify,
}

/// Sends everything but the last event, and gives that; `None` when the caller went away.
pub async fn play(
    code: &str,
    events: &mpsc::Sender<Sent>,
    Signs { stop, turn }: Signs<'_>,
    mut input: mpsc::UnboundedReceiver<wire::WriteInputRequest>,
) -> Option<Sent> {
    let tell = async |event: Sent| events.send(event).await.ok();
    let last = match code {
        "die" => return Some(Err(Status::unavailable("gone"))),
        "end" => {
            tell(output(wire::Stream::Stdout, 0, b"begun\n")).await?;
            return Some(Err(failed(Code::Unavailable, reason::SHUTTING_DOWN, "ending")));
        }
        "hang" | "wait" => {
            tell(output(wire::Stream::Stdout, 0, b"begun\n")).await?;
            tokio::select! {
                () = events.closed() => return None,
                () = stop.notified() => wire::Outcome {
                    diagnostic: Some(wire::Diagnostic {
                        kind: "limit".to_owned(),
                        name: "cancelled".to_owned(),
                        message: "cancelled".to_owned(),
                        ..wire::Diagnostic::default()
                    }),
                    ..outcome(wire::Status::Cancelled, 6)
                },
            }
        }
        "steps" => {
            for (offset, line) in [(0, b"1\n"), (2, b"2\n"), (4, b"3\n")] {
                tokio::select! {
                    () = events.closed() => return None,
                    () = turn.notified() => tell(output(wire::Stream::Stdout, offset, line)).await?,
                }
            }
            outcome(wire::Status::Succeeded, 6)
        }
        "echo" => {
            let mut offset = 0;
            loop {
                let more = tokio::select! {
                    () = events.closed() => return None,
                    () = stop.notified() => break,
                    more = input.recv() => more,
                };
                let Some(wire::WriteInputRequest { data, end, .. }) = more else { break };
                tell(output(wire::Stream::Stdout, offset, &data)).await?;
                offset += data.len() as u64;
                if end {
                    break;
                }
            }
            outcome(wire::Status::Succeeded, offset)
        }
        "split" => {
            for (offset, piece) in
                [(0, &b"a\xc3"[..]), (2, b"\xa4\xe2\x82"), (5, b"\xac"), (6, b"\xf0\x9f")]
            {
                tell(output(wire::Stream::Stdout, offset, piece)).await?;
            }
            outcome(wire::Status::Succeeded, 8)
        }
        "many" => {
            for offset in 0..10_000 {
                tell(output(wire::Stream::Stdout, offset, b"x")).await?;
            }
            outcome(wire::Status::Succeeded, 10_000)
        }
        "gap" => {
            tell(output(wire::Stream::Stdout, 0, b"head")).await?;
            tell(output(wire::Stream::Stdout, 1004, b"tail")).await?;
            tell(output(wire::Stream::Stderr, 0, b"\xff")).await?;
            wire::Outcome {
                stdout: Some(totals(1008, true)),
                stderr: Some(totals(1, false)),
                ..outcome(wire::Status::Succeeded, 0)
            }
        }
        code if code.starts_with("big ") => {
            let (whole, until) = (big(), code.trim_start_matches("big ").parse().unwrap());
            tell(output(wire::Stream::Stdout, 0, &whole[..1000])).await?;
            tell(output(wire::Stream::Stdout, 99_000, &whole[99_000..])).await?;
            let stored = wire::StreamTotals {
                stored: true,
                stored_bytes: whole.len() as u64,
                stored_until_ms: until,
                ..totals(whole.len() as u64, true)
            };
            wire::Outcome { stdout: Some(stored), ..outcome(wire::Status::Succeeded, 0) }
        }
        "extreme" => {
            for offset in [u64::MAX, 0, u64::MAX - 1] {
                tell(output(wire::Stream::Stdout, offset, b"x")).await?;
            }
            let totals = || {
                Some(wire::StreamTotals {
                    bytes: u64::MAX,
                    stored: true,
                    stored_bytes: u64::MAX,
                    stored_until_ms: i64::MIN,
                    ..wire::StreamTotals::default()
                })
            };
            wire::Outcome {
                exit_code: Some(i32::MIN),
                signal: Some("\u{1b}[2J\0".to_owned()),
                duration_us: u64::MAX,
                stdout: totals(),
                stderr: totals(),
                usage: Some(wire::Usage {
                    cpu_us: u64::MAX,
                    peak_memory_bytes: u64::MAX,
                    processes: u32::MAX,
                    disk_bytes: u64::MAX,
                    accounting: "x".repeat(1000),
                    shared: true,
                }),
                phases: Some(wire::Phases {
                    queue_us: u64::MAX,
                    start_us: u64::MAX,
                    compile_us: Some(u64::MAX),
                    run_us: u64::MAX,
                    cold_start: true,
                }),
                ..outcome(wire::Status::Killed, 0)
            }
        }
        "long" => {
            for _ in 0..12 {
                let mime = [("text/plain".to_owned(), "x".repeat(1 << 20))].into();
                let result = wire::RichResult { mime, ..wire::RichResult::default() };
                tell(event(Event::Result(result))).await?;
            }
            outcome(wire::Status::Succeeded, 0)
        }
        "flood" => loop {
            let mime = [("text/plain".to_owned(), "x".repeat(1 << 20))].into();
            let result = wire::RichResult { mime, ..wire::RichResult::default() };
            tell(event(Event::Result(result))).await?;
        },
        "mixed" => {
            tell(output(wire::Stream::Stdout, 0, b"one\n")).await?;
            tell(output(wire::Stream::Stderr, 0, b"\x1b[33m 9%\r99%\x1b[0m\n")).await?;
            tell(output(wire::Stream::Stdout, 4, b"three\n")).await?;
            let mime = [("text/plain".to_owned(), "four".to_owned())].into();
            tell(event(Event::Result(wire::RichResult { mime, ..Default::default() }))).await?;
            let failed = wire::Diagnostic {
                kind: "exception".to_owned(),
                name: "KeyError".to_owned(),
                message: "'five'".to_owned(),
                hint: Some("look".to_owned()),
                ..wire::Diagnostic::default()
            };
            let (stderr, diagnostic) = (Some(totals(17, false)), Some(failed));
            wire::Outcome { stderr, diagnostic, ..outcome(wire::Status::Failed, 10) }
        }
        "chart" => {
            for result in charts::results() {
                tell(event(Event::Result(result))).await?;
            }
            outcome(wire::Status::Succeeded, 0)
        }
        "draw" => {
            let stored = artifacts::artifact(b".results/1.png", false);
            let stored = [("image/png".to_owned(), stored)].into();
            let mime = [("text/plain".to_owned(), "<Figure>".to_owned())].into();
            let drawn = wire::RichResult { mime, stored, is_main_result: true };
            tell(event(Event::Result(drawn))).await?;
            outcome(wire::Status::Succeeded, 0)
        }
        "fail" => wire::Outcome {
            exit_code: Some(1),
            diagnostic: Some(wire::Diagnostic {
                kind: "exception".to_owned(),
                name: "ValueError".to_owned(),
                message: "no\nreally".to_owned(),
                line: Some(3),
                ..wire::Diagnostic::default()
            }),
            ..outcome(wire::Status::Failed, 0)
        },
        said => {
            let text = said.strip_prefix("say ").unwrap_or_default().as_bytes();
            tell(output(wire::Stream::Stdout, 0, text)).await?;
            outcome(wire::Status::Succeeded, text.len() as u64)
        }
    };
    Some(event(Event::Outcome(last)))
}

/// A failed call, with its reason and a time to wait.
pub fn failed(code: Code, reason: &'static str, message: &str) -> Status {
    let mut status = Status::new(code, message);
    status.metadata_mut().insert(ERROR_REASON, reason.parse().unwrap());
    status.metadata_mut().insert(RETRY_AFTER, "7".parse().unwrap());
    status
}

fn queue_full(code: Code, reason: &'static str) -> Status {
    let mut status = failed(code, reason, "full");
    status.metadata_mut().insert(QUEUE_POSITION, "5".parse().unwrap());
    status.metadata_mut().insert(QUEUE_LENGTH, "64".parse().unwrap());
    status
}

pub fn event(event: Event) -> Sent {
    Ok(wire::ExecutionEvent { event: Some(event) })
}

/// 100,000 bytes; at each position another than at those before and after it, and not UTF-8.
pub fn big() -> Vec<u8> {
    (0..100_000_u32).map(|position| (position % 251) as u8).collect()
}

/// Some of `bytes`, at most 30,000.
pub fn piece(bytes: &[u8], offset: u64, length: u64) -> wire::OutputPiece {
    let total = bytes.len() as u64;
    let from = offset.min(total);
    let to = from + length.min(30_000).min(total - from);
    let data = bytes[from as usize..to as usize].to_vec().into();
    wire::OutputPiece { stored: total, total, data }
}

fn totals(bytes: u64, truncated: bool) -> wire::StreamTotals {
    wire::StreamTotals { bytes, truncated, ..wire::StreamTotals::default() }
}

fn output(stream: wire::Stream, offset: u64, data: &[u8]) -> Sent {
    event(Event::Output(wire::Output { stream: stream.into(), offset, data: data.to_vec().into() }))
}

fn outcome(status: wire::Status, stdout: u64) -> wire::Outcome {
    wire::Outcome {
        status: status.into(),
        exit_code: (status == wire::Status::Succeeded).then_some(0),
        duration_us: 2600,
        stdout: Some(totals(stdout, false)),
        usage: Some(wire::Usage {
            cpu_us: 1500,
            peak_memory_bytes: 9_437_184,
            processes: 1,
            disk_bytes: 0,
            accounting: "enforced".to_owned(),
            shared: false,
        }),
        phases: Some(wire::Phases { run_us: 2400, ..wire::Phases::default() }),
        ..wire::Outcome::default()
    }
}
