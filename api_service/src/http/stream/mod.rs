//! Answers that go on: events as they happen. `sse` writes them for HTTP; what an event is and whence it comes is
//! said by the resource that has it.

pub mod sse;
