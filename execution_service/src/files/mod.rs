//! What is made of the files of a workspace: archives of them, files out of archives, and what changes among them.

pub mod pack;
mod places;
pub mod unpack;
pub mod watch;

pub use places::{Busy, MOST_OF_AN_OWNER, Place, Places};

/// Most names below a directory that an archive may hold, or that are watched.
pub const MOST_ENTRIES: usize = 20_000;
/// Levels below a directory that are looked at: as many as a path can have.
pub const EVERY_LEVEL: u32 = 4096;

/// An empty sandbox.
#[cfg(test)]
async fn sandbox(
    backend: &crate::sandbox::fake::FakeBackend,
) -> Box<dyn crate::sandbox::backend::Sandbox> {
    use crate::sandbox::backend::SandboxBackend;
    use crate::sandbox::{fake, spec::SandboxSpec};
    backend.create(&SandboxSpec::closed(fake::LIMITS)).await.expect("a sandbox")
}
