//! The workers: who they are, which of them gets a run, and how they are spoken to.

pub mod client;
mod placement;
mod registry;

pub use self::registry::{NoPlacement, Placement, Worker, Workers};
