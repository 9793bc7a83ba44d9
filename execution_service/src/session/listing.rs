//! What is known of a session's workspace from the end of its last run.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::sandbox::files::Tree;

/// The last listing, and how often the session had been used when it was made.
#[derive(Debug, Default)]
pub struct Listing(Mutex<Option<(Arc<Tree>, u64)>>);

impl Listing {
    /// The last one, if the session has not been used since: its use number `uses` was the run that made it.
    pub fn known(&self, uses: u64) -> Option<Arc<Tree>> {
        let last = self.lock();
        last.as_ref().filter(|(_, then)| *then == uses).map(|(tree, _)| Arc::clone(tree))
    }

    /// One that was made by the use number `uses`.
    pub fn note(&self, tree: Option<Arc<Tree>>, uses: u64) {
        *self.lock() = tree.map(|tree| (tree, uses));
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Arc<Tree>, u64)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_until_the_session_is_used_again() {
        let listing = Listing::default();
        assert_eq!(listing.known(0), None);
        listing.note(Some(Arc::default()), 3);
        assert!(listing.known(3).is_some());
        assert_eq!(listing.known(4), None, "somebody may have written files");
        listing.note(None, 4);
        assert_eq!(listing.known(4), None, "it could not be seen");
    }
}
