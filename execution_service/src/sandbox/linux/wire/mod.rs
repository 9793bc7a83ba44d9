//! What worker, spawner, zygotes and init say to each other.
//!
//! ```text
//! worker ──ToSpawner──▶ spawner        one reply for each request, by its number,
//! worker ◀─FromSpawner─ spawner        and reports of ended processes in between
//! spawner ─ToZygote───▶ zygote         (`runtimes/python/crucible_zygote/wire.py`)
//! spawner ◀FromZygote── zygote
//! worker ◀─FirstWord─── init (once)    before there is user code
//! worker ──ToInit─────▶ init           one reply for each request, by its number,
//! worker ◀─FromInit──── init           and reports of ended processes in between
//! spawner ─SetUp──────▶ init (once)    what to become
//! ```
//!
//! Messages are in the files of their receivers; [`channel`] and [`init_link`] carry them.

pub mod channel;
pub mod failure;
pub mod files;
pub mod init;
pub mod init_link;
pub mod pipes;
pub mod probe;
pub mod spawner;
mod terminal;
#[cfg(test)]
mod tests;
pub mod zygote;

/// Numbers a request, so that its reply finds its way.
pub type Sequence = u64;
