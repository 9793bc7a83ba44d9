//! Answers that go on: events as they happen. `sse` writes them for HTTP; what an event is and whence it comes is
//! said by the resource that has it. `tty` is a terminal over a WebSocket, and `websocket_auth` says who opens one.

pub mod sse;
pub mod tty;
mod tty_frame;
pub mod websocket_auth;
