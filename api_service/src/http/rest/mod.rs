//! Our own API: what is below `/v1`, and the few routes beside it. `table` lists them, `routes`
//! registers them, `openapi` describes them; each folder holds the handlers of one resource and its
//! JSON.

pub mod api_keys;
pub mod auth;
pub mod contexts;

pub mod doctor;
mod endpoint;
pub mod executions;
pub mod fields;
pub mod files;
pub mod health;
mod idempotent;
pub mod languages;
pub mod network;
mod openapi;
mod processes;
mod response_body;
mod routes;
mod schemas;
pub mod sessions;
mod table;
pub mod users;
pub mod websocket;

pub use self::endpoint::Endpoint;
pub use self::routes::{configure, document};
pub use self::table::{protected, public};
