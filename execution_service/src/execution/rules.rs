//! The rules by which one step of a run is followed.

use tokio_util::sync::CancellationToken;

use crate::sandbox::spec::Usage;

use super::artifacts::LargeResults;
use super::handle::Handle;
use super::limits::Limits;
use super::outcome::Accounting;
use super::sharing::Share;

/// The rules of this run.
pub struct Rules<'a> {
    /// What it may use.
    pub limits: &'a Limits,
    /// Past this many bytes on one stream it is stopped.
    pub hard_output: u64,
    /// Without cgroups memory must be watched.
    pub accounting: Accounting,
    /// What the sandbox had used before.
    pub before: Usage,
    /// What goes on beside it.
    pub share: &'a Share,
    /// Where large results go; absent where they are sent.
    pub large: Option<&'a LargeResults>,
    /// Fires when nobody wants the answer any more.
    pub cancelled: &'a CancellationToken,
    /// By which it can be interrupted; absent for a run that cannot.
    pub handle: Option<&'a Handle>,
}
