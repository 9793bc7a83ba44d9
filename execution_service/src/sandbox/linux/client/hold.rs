//! Lower limits for one that idles.

use std::io;

use super::sandbox::LinuxSandbox;
use crate::sandbox::backend::SandboxError;
use crate::sandbox::spec::{Footprint, SandboxLimits};

/// What the kernel takes back at a time of files that the sandbox was the first to read: the spawner, which waits for
/// that, serves others in between.
const PIECE: u64 = 32 << 20;
/// More of them than any sandbox has memory.
const MOST_PIECES: u32 = 1 << 16;

impl LinuxSandbox {
    /// See [`Sandbox::hold_to`](crate::sandbox::backend::Sandbox::hold_to).
    pub(super) async fn limit_to(&self, most: Option<Footprint>) -> Result<(), SandboxError> {
        let (Some(meter), limits) = (&self.meter, self.limits_in_force()) else {
            return Ok(());
        };
        let Some(most) = most else {
            return self.spawner.set_limits(self.id, limits).await;
        };
        let processes = u32::try_from(most.processes).unwrap_or(u32::MAX).min(limits.processes);
        let wanted = most.memory_bytes.min(limits.memory_bytes);
        for _ in 0..MOST_PIECES {
            let next = wanted.max(meter.memory_bytes().saturating_sub(PIECE));
            let memory_bytes = next.min(limits.memory_bytes);
            let lower = SandboxLimits { memory_bytes, processes, ..limits };
            self.spawner.set_limits(self.id, lower).await?;
            if memory_bytes == wanted {
                return Ok(());
            }
        }
        Err(SandboxError::Limits(io::Error::from(io::ErrorKind::ResourceBusy)))
    }
}
