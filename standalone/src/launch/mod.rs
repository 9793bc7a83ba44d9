//! From the command line to two running services, and back to nothing.
//!
//! ```text
//! settings ─▶ data directory, locked ─▶ secrets ─▶ rich Python ─▶ administrator
//!          ─▶ worker + gateway, kept running (keeper) ─▶ what they say of themselves (view, report)
//! ```

mod backoff;
mod environment;
mod keeper;
pub(crate) mod python;
mod report;
pub mod role;
mod service;
mod startup;
mod stop;
mod view;

pub use startup::run;
