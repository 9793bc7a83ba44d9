//! Limits, as requests and answers spell them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::integer;
use crate::domain::field_error::FieldErrors;
use crate::domain::limits::Limits;

/// What a run may use; what is left out takes the worker's default.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitsBody {
    /// Memory of all processes together, in bytes.
    #[serde(default, deserialize_with = "integer::optional_u64")]
    #[schema(minimum = 1)]
    pub memory_bytes: Option<u64>,
    /// Processes and threads at once.
    #[serde(default, deserialize_with = "integer::optional_u32")]
    #[schema(minimum = 1)]
    pub processes: Option<u32>,
    /// Bytes kept of each of stdout and stderr.
    #[serde(default, deserialize_with = "integer::optional_u64")]
    #[schema(minimum = 1)]
    pub output_bytes: Option<u64>,
    /// Size of everything writable, in bytes. In a session, fixed when it is made.
    #[serde(default, deserialize_with = "integer::optional_u64")]
    #[schema(minimum = 1)]
    pub disk_bytes: Option<u64>,
    /// Files and directories.
    #[serde(default, deserialize_with = "integer::optional_u64")]
    #[schema(minimum = 1)]
    pub inodes: Option<u64>,
    /// Open files of one process.
    #[serde(default, deserialize_with = "integer::optional_u32")]
    #[schema(minimum = 1)]
    pub open_files: Option<u32>,
    /// Processor time of all processes together, in milliseconds.
    #[serde(default, deserialize_with = "integer::optional_u64")]
    #[schema(minimum = 1)]
    pub cpu_ms: Option<u64>,
}

impl LimitsBody {
    /// Checks that nothing is zero. How high each may be is the worker's to say.
    pub(in crate::http::rest) fn parse(
        self,
        wall: Option<Duration>,
        errors: &mut FieldErrors,
    ) -> Limits {
        let Self { memory_bytes, processes, output_bytes, disk_bytes, inodes, open_files, cpu_ms } =
            self;
        let given = [
            ("memory_bytes", memory_bytes),
            ("processes", processes.map(u64::from)),
            ("output_bytes", output_bytes),
            ("disk_bytes", disk_bytes),
            ("inodes", inodes),
            ("open_files", open_files.map(u64::from)),
            ("cpu_ms", cpu_ms),
        ];
        for (name, value) in given {
            if value == Some(0) {
                errors.push(format!("limits.{name}"), "must be at least 1");
            }
        }
        Limits {
            wall,
            cpu: cpu_ms.map(Duration::from_millis),
            memory_bytes,
            processes,
            disk_bytes,
            inodes,
            output_bytes,
            open_files,
        }
    }
}

/// Limits as a worker states them; null where there is none.
#[derive(Debug, Serialize, ToSchema)]
pub struct LimitsAnswer {
    /// Wall-clock time, in milliseconds.
    #[schema(required)]
    pub wall_ms: Option<u64>,
    /// Memory of all processes together, in bytes.
    #[schema(required)]
    pub memory_bytes: Option<u64>,
    /// Processes and threads at once.
    #[schema(required)]
    pub processes: Option<u32>,
    /// Bytes kept of each of stdout and stderr.
    #[schema(required)]
    pub output_bytes: Option<u64>,
    /// Size of everything writable, in bytes.
    #[schema(required)]
    pub disk_bytes: Option<u64>,
    /// Files and directories.
    #[schema(required)]
    pub inodes: Option<u64>,
    /// Open files of one process.
    #[schema(required)]
    pub open_files: Option<u32>,
    /// Processor time of all processes together, in milliseconds.
    #[schema(required)]
    pub cpu_ms: Option<u64>,
}

impl LimitsAnswer {
    /// From the domain.
    pub fn of(limits: &Limits) -> Self {
        let Limits {
            wall,
            cpu,
            memory_bytes,
            processes,
            disk_bytes,
            inodes,
            output_bytes,
            open_files,
        } = limits.clone();
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Self {
            wall_ms: wall.map(millis),
            memory_bytes,
            processes,
            output_bytes,
            disk_bytes,
            inodes,
            open_files,
            cpu_ms: cpu.map(millis),
        }
    }
}
