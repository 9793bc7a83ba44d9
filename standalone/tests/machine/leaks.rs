//! What a launcher has running on this machine, counted, so that a test can say "nothing is left".

use std::fmt;
use std::time::Duration;

use attack::remains::{Place, Remains as Counts};

use crate::crucible::Crucible;

/// Variables that make the number of warm sandboxes a constant.
pub const STEADY_POOL: [(&str, &str); 2] = [("INITIAL_POOL_SIZE", "2"), ("MAX_POOL_SIZE", "2")];

/// What `crucible doctor --attack` counts, too; equal when nothing is left or missing.
pub struct Remains(Counts);

impl Remains {
    /// What is there once the warm sandboxes are: nothing has changed for a second.
    pub fn at_rest(crucible: &Crucible) -> Self {
        let place = Place { launcher: crucible.pid(), data: crucible.data().to_owned() };
        Self(Counts::at_rest(&place, Duration::from_secs(60)).expect("it comes to rest"))
    }
}

impl PartialEq for Remains {
    fn eq(&self, before: &Self) -> bool {
        // Connections between the services are made on first use, one for each thread.
        let mut before = before.0.clone();
        before.descriptors.clone_from(&self.0.descriptors);
        self.0.since(&before).is_empty()
    }
}

impl fmt::Debug for Remains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { processes, namespaces, cgroups, bytes, .. } = &self.0;
        write!(f, "{processes:?} {namespaces:?} cgroups {cgroups} bytes {bytes}")
    }
}
