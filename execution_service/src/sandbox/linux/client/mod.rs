//! The worker's side: what it asks the spawner and the inits of sandboxes.

pub mod account;
pub mod census;
mod excess;
pub mod factory;
mod fifo;
mod file_system;
mod files;
mod hold;
mod init;
mod kill;
mod listen;
mod output;
pub mod pending;
mod process;
pub mod sandbox;
pub mod spawner;
pub mod spawner_watch;
mod start;
mod terminal;
mod transfer;
mod tree;
