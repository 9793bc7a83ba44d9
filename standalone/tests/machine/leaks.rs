//! What a launcher has running on this machine, counted, so that a test can say "nothing is left".

use std::fmt;
use std::time::Duration;

use attack::leaks::{ResourceCounts, RunningService};

use crate::crucible::Crucible;

/// Variables that make the number of warm sandboxes a constant.
pub const STEADY_POOL: [(&str, &str); 2] = [("INITIAL_POOL_SIZE", "2"), ("MAX_POOL_SIZE", "2")];

/// What `crucible doctor --attack` counts, too; equal when nothing is left or missing.
pub struct Leftovers(ResourceCounts);

impl Leftovers {
    /// What is there once the warm sandboxes are: nothing has changed for a second.
    pub fn when_idle(crucible: &Crucible) -> Self {
        let place = RunningService { launcher: crucible.pid(), data: crucible.data().to_owned() };
        Self(ResourceCounts::when_idle(&place, Duration::from_secs(60)).expect("it comes to rest"))
    }
}

impl PartialEq for Leftovers {
    fn eq(&self, before: &Self) -> bool {
        // Connections between the services are made on first use, one for each thread.
        let mut before = before.0.clone();
        before.descriptors.clone_from(&self.0.descriptors);
        self.0.since(&before).is_empty()
    }
}

impl fmt::Debug for Leftovers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ResourceCounts { processes, namespaces, cgroups, bytes, .. } = &self.0;
        write!(f, "{processes:?} {namespaces:?} cgroups {cgroups} bytes {bytes}")
    }
}
