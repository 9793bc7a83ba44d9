//! The run that goes on in a context, for those who want to do something to it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::execution::handle::{Cause, Handle};

/// The run of one context that goes on, if one does.
#[derive(Default)]
pub struct Current(Mutex<Option<Arc<Handle>>>);

/// A run that goes on until this is dropped.
pub struct Going<'a>(&'a Current);

impl Current {
    /// A run begins.
    pub fn begin(&self, handle: &Arc<Handle>) -> Going<'_> {
        *self.lock() = Some(Arc::clone(handle));
        Going(self)
    }

    /// Interrupts it; whether there was one.
    pub fn interrupt(&self) -> bool {
        let current = self.lock();
        if let Some(handle) = &*current {
            handle.interrupt();
        }
        current.is_some()
    }

    /// Ends it, if there is one.
    pub fn end(&self, cause: Cause) {
        if let Some(handle) = &*self.lock() {
            handle.end(cause);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Handle>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Going<'_> {
    fn drop(&mut self) {
        *self.0.lock() = None;
    }
}
