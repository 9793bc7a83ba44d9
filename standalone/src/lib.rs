//! Crucible on one machine: one command that finds the interpreters, makes the secrets, starts the
//! gateway and the worker as two processes, and keeps them running until it is told to stop.
//!
//! ```text
//! crucible                 the launcher: main thread only, no sandbox, no HTTP of its own
//! ├── crucible worker      execution_service, restarted when it dies
//! └── crucible gateway     api_service, restarted when it dies
//! ```
//!
//! Both are this same executable under a hidden subcommand, configured by environment alone, just
//! as on two machines. They ask the kernel to end with the launcher, so `kill -9` leaves nothing.

pub mod cli;
pub mod data_directory;
pub mod doctor;
pub mod launch;
pub mod provision;
pub mod secret;
pub mod settings;
