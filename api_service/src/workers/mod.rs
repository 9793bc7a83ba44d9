//! The workers: who they are, which of them gets a run, and how they are spoken to.

pub mod client;
pub mod registry;
