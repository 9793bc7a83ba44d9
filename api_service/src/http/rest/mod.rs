//! Our own API: what is below `/v1`, and the few routes beside it. `routes` lists them; each folder
//! holds the handlers of one resource and its JSON.

pub mod api_keys;
pub mod auth;
pub mod doctor;
pub mod executions;
pub mod fields;
pub mod health;
mod idempotent;
pub mod languages;
mod openapi;
mod response_body;
mod routes;
pub mod sessions;
pub mod users;

pub use self::openapi::document;
pub use self::routes::{Endpoint, configure, protected, public};
