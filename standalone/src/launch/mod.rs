//! From the command line to two running services, and back to nothing.
//!
//! ```text
//! settings ─▶ data directory, locked ─▶ secrets ─▶ rich Python ─▶ administrator
//!          ─▶ worker + gateway, kept running (keeper) ─▶ what they say of themselves (view, report)
//!          ─▶ the packages that nobody waited for (packages)
//! ```

mod backoff;
mod bar;
mod environment;
mod keeper;
mod packages;
pub(crate) mod python;
pub(crate) mod report;
pub mod role;
mod service;
mod startup;
mod stop;
mod view;

pub use startup::run;
