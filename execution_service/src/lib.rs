//! The worker: owns the sandboxes and runs code in them.
//!
//! ```text
//! grpc ──▶ worker ──▶ session ──▶ pool, owners ──▶ execution ──▶ language
//!                                                           └──▶ sandbox ──▶ sandbox::linux
//! ```
//! `network` is what sandboxes may reach, and `broker` the process that connects for them. `files` makes archives of a sandbox's files and watches them, for sessions. Each arrow points at what may be imported. `runtimes` is what interpreters run inside of the sandboxes.

mod boot;
mod broker;
pub mod config;
pub mod doctor;
pub mod execution;
mod files;
mod grpc;
pub mod language;
mod listener;
mod network;
mod owners;
mod pool;
mod runtimes;
pub mod sandbox;
mod session;
mod startup;
mod tasks;
mod worker;

pub use startup::{run_from_command_line, run_from_env};
