//! How much of a file system is in use.

use std::io;
use std::os::fd::AsFd;

use nix::sys::statvfs::fstatvfs;
use serde::{Deserialize, Serialize};

/// How full a workspace is.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Disk {
    /// Bytes in use.
    pub bytes: u64,
    /// No block or no inode is free.
    pub full: bool,
}

impl Disk {
    /// Of the file system that `directory` is in.
    pub fn of(directory: impl AsFd) -> io::Result<Self> {
        let found = fstatvfs(directory)?;
        let used = found.blocks().saturating_sub(found.blocks_free());
        let bytes = used.saturating_mul(found.fragment_size());
        Ok(Self { bytes, full: found.blocks_free() == 0 || found.files_free() == 0 })
    }
}
