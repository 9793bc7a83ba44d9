//! The gateway through its front door: a real server on a port of its own, a database of its own,
//! and a worker that follows a script.

mod answers_fit;
mod authorization;
mod bad_input;
mod credentials;
mod executions;
mod floods;
mod history;
mod idempotency;
mod inputs;
mod languages;
mod layers;
mod mutual_tls;
mod openapi;
mod outputs;
mod plain_log;
mod processes;
mod properties;
mod public;
mod runs;
mod secrecy;
mod sessions;
mod settings;
mod shapes;
mod slow;
mod storage;
mod streams;
mod support;
mod url_variants;
mod users;
mod websocket;
mod worker_trouble;
