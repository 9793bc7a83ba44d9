//! What one run may use, and the range in which a request may ask for it.

use std::time::Duration;

use crate::sandbox::spec::SandboxLimits;

/// What one run may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// By the clock, from the first instruction of the user's program. A compiler has its own.
    pub wall: Duration,
    /// Of all processors together.
    pub cpu: Duration,
    /// Of each of stdout and stderr, in bytes, before only head and tail are kept.
    pub output_bytes: u64,
    /// What the sandbox itself enforces.
    pub sandbox: SandboxLimits,
}

/// The limits that a request asks for; what it leaves out takes the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestedLimits {
    /// See [`Limits::wall`].
    pub wall: Option<Duration>,
    /// See [`Limits::cpu`].
    pub cpu: Option<Duration>,
    /// See [`Limits::output_bytes`].
    pub output_bytes: Option<u64>,
    /// See [`SandboxLimits`].
    pub memory_bytes: Option<u64>,
    /// See [`SandboxLimits`].
    pub processes: Option<u32>,
    /// See [`SandboxLimits`].
    pub disk_bytes: Option<u64>,
    /// See [`SandboxLimits`].
    pub inodes: Option<u64>,
    /// See [`SandboxLimits`].
    pub open_files: Option<u32>,
}

/// The operator's defaults and maxima.
#[derive(Clone, Copy, Debug)]
pub struct LimitRange {
    /// For what a request leaves out.
    pub defaults: Limits,
    /// What no request may go beyond.
    pub maxima: Limits,
}

/// A requested limit outside of the range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be between {minimum} and {maximum}")]
pub struct OutOfRange {
    /// The field's name in the API.
    pub field: &'static str,
    /// The least that makes sense.
    pub minimum: u64,
    /// The operator's maximum.
    pub maximum: u64,
}

/// An interpreter does not even start with less.
const MIN_MEMORY: u64 = 64 << 20;
const MIN_DISK: u64 = 64 << 10;
const MIN_INODES: u64 = 16;
const MIN_OPEN_FILES: u64 = 32;
const MIN_OUTPUT: u64 = 1 << 10;

impl LimitRange {
    /// The limits for `requested`.
    ///
    /// # Errors
    /// The first one that is out of range.
    pub fn grant(&self, requested: RequestedLimits) -> Result<Limits, OutOfRange> {
        self.grant_from(self.defaults, requested)
    }

    /// As [`LimitRange::grant`], with other defaults: those of a session, for a run in it.
    pub fn grant_from(
        &self,
        defaults: Limits,
        requested: RequestedLimits,
    ) -> Result<Limits, OutOfRange> {
        let RequestedLimits {
            wall,
            cpu,
            output_bytes,
            memory_bytes,
            processes,
            disk_bytes,
            inodes,
            open_files,
        } = requested;
        let most = self.maxima;
        let wall = time("wall_ms", wall, defaults.wall, most.wall)?;
        // A program on several cores may use more of them than the clock shows.
        let cpu = match cpu {
            Some(_) => time("cpu_ms", cpu, defaults.cpu, most.cpu)?,
            None => defaults.cpu.max(wall.saturating_mul(self.cores())).min(most.cpu),
        };
        let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let (from, to) = (defaults.sandbox, most.sandbox);
        let sandbox = SandboxLimits {
            memory_bytes: number(
                "memory_bytes",
                memory_bytes,
                from.memory_bytes,
                MIN_MEMORY,
                to.memory_bytes,
            )?,
            processes: narrow(number(
                "processes",
                processes.map(u64::from),
                u64::from(from.processes),
                1,
                u64::from(to.processes),
            )?),
            disk_bytes: number("disk_bytes", disk_bytes, from.disk_bytes, MIN_DISK, to.disk_bytes)?,
            inodes: number("inodes", inodes, from.inodes, MIN_INODES, to.inodes)?,
            open_files: narrow(number(
                "open_files",
                open_files.map(u64::from),
                u64::from(from.open_files),
                MIN_OPEN_FILES,
                u64::from(to.open_files),
            )?),
            milli_cpus: from.milli_cpus,
        };
        let output_bytes = number(
            "output_bytes",
            output_bytes,
            defaults.output_bytes,
            MIN_OUTPUT,
            most.output_bytes,
        )?;
        Ok(Limits { wall, cpu, output_bytes, sandbox })
    }

    fn cores(&self) -> u32 {
        self.defaults.sandbox.milli_cpus.div_ceil(1000)
    }
}

fn number(
    field: &'static str,
    requested: Option<u64>,
    default: u64,
    minimum: u64,
    maximum: u64,
) -> Result<u64, OutOfRange> {
    match requested {
        None => Ok(default),
        Some(number) if (minimum..=maximum).contains(&number) => Ok(number),
        Some(_) => Err(OutOfRange { field, minimum, maximum }),
    }
}

fn time(
    field: &'static str,
    requested: Option<Duration>,
    default: Duration,
    maximum: Duration,
) -> Result<Duration, OutOfRange> {
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    number(field, requested.map(millis), millis(default), 1, millis(maximum))
        .map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limits() -> impl Strategy<Value = Limits> {
        (any::<(Duration, Duration, u64)>(), any::<(u64, u32, u64, u64, u32, u32)>()).prop_map(
            |((wall, cpu, output_bytes), sandbox)| {
                let (memory_bytes, processes, disk_bytes, inodes, open_files, milli_cpus) = sandbox;
                let sandbox = SandboxLimits {
                    memory_bytes,
                    processes,
                    disk_bytes,
                    inodes,
                    open_files,
                    milli_cpus,
                };
                Limits { wall, cpu, output_bytes, sandbox }
            },
        )
    }

    fn requested() -> impl Strategy<Value = RequestedLimits> {
        (any::<(Option<Duration>, Option<Duration>, Option<u64>)>(), any::<[Option<u64>; 3]>())
            .prop_flat_map(|((wall, cpu, output_bytes), [memory_bytes, disk_bytes, inodes])| {
                any::<[Option<u32>; 2]>().prop_map(move |[processes, open_files]| RequestedLimits {
                    wall,
                    cpu,
                    output_bytes,
                    memory_bytes,
                    processes,
                    disk_bytes,
                    inodes,
                    open_files,
                })
            })
    }

    proptest! {
        #[test]
        fn no_request_goes_beyond_the_range(
            (defaults, maxima) in (limits(), limits()),
            requested in requested(),
        ) {
            let Ok(granted) = (LimitRange { defaults, maxima }).grant(requested) else {
                return Ok(());
            };
            let most = |wished: bool, most: u64, default: u64| if wished { most } else { default };
            let Limits { wall, output_bytes, sandbox, .. } = granted;
            let longest = if requested.wall.is_some() { maxima.wall } else { defaults.wall };
            prop_assert!(wall <= longest);
            prop_assert!(granted.cpu <= maxima.cpu);
            let output = most(requested.output_bytes.is_some(), maxima.output_bytes, defaults.output_bytes);
            prop_assert!(output_bytes <= output);
            let (from, to) = (defaults.sandbox, maxima.sandbox);
            let wished = requested.memory_bytes.is_some();
            prop_assert!(sandbox.memory_bytes <= most(wished, to.memory_bytes, from.memory_bytes));
            let wished = requested.disk_bytes.is_some();
            prop_assert!(sandbox.disk_bytes <= most(wished, to.disk_bytes, from.disk_bytes));
            let wished = requested.inodes.is_some();
            prop_assert!(sandbox.inodes <= most(wished, to.inodes, from.inodes));
            let wished = requested.processes.is_some();
            let (ours, theirs) = (u64::from(to.processes), u64::from(from.processes));
            prop_assert!(u64::from(sandbox.processes) <= most(wished, ours, theirs));
            prop_assert_eq!(sandbox.milli_cpus, from.milli_cpus);
        }
    }
}
