//! What the file system knows of a file beside its name.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::FileKind;

/// A file as it was at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FileStatus {
    /// What it is.
    pub kind: FileKind,
    /// Bytes in a regular file; what the file system says of others.
    pub size: u64,
    /// Permission bits, 0 to 0o7777.
    pub mode: u32,
    /// When its content was changed last, as user code has it: it can set this.
    pub modified: Moment,
    /// When anything of it was changed last. Nobody can set this.
    pub changed: Moment,
    /// Its number in the file system.
    pub inode: u64,
}

/// A time of a file system: since 1970, with parts of a second.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct Moment {
    /// Whole seconds; fewer than none before 1970.
    pub seconds: i64,
    /// Billionths of a second on top, 0 to 999,999,999.
    pub nanos: u32,
}

impl Moment {
    /// As the standard library has it. A moment that it cannot name is the nearest that it can: user code may
    /// choose any.
    pub fn time(self) -> SystemTime {
        let whole = Duration::from_secs(self.seconds.unsigned_abs());
        let time = if self.seconds < 0 {
            UNIX_EPOCH.checked_sub(whole)
        } else {
            UNIX_EPOCH.checked_add(whole)
        };
        let time = time.and_then(|time| time.checked_add(Duration::from_nanos(self.nanos.into())));
        time.unwrap_or(UNIX_EPOCH)
    }
}
