//! The routes. `table` lists them; each file holds the handlers of one thing.

mod api_keys;
mod auth;
mod doctor;
mod executions;
mod health;
mod languages;
pub mod metrics;
mod once;
mod openapi;
mod output;
mod run;
mod sessions;
mod table;
mod users;
mod written;

pub use self::openapi::document;
pub use self::table::{Endpoint, configure, protected, public};
