//! The gateway through its front door: a real server on a port of its own, a database of its own,
//! and a worker that follows a script.

mod authorization;
mod bad_input;
mod credentials;
mod detours;
mod executions;
mod floods;
mod history;
mod idempotency;
mod languages;
mod layers;
mod openapi;
mod outputs;
mod plain_log;
mod properties;
mod public;
mod runs;
mod secrecy;
mod sessions;
mod settings;
mod shapes;
mod slow;
mod storage;
mod support;
mod worker_trouble;
