//! The files of a workspace, as its sandbox gives them out.

use async_trait::async_trait;

use super::{FilePath, Tree};
use crate::sandbox::backend::SandboxError;

/// What can be done with the files of a workspace. All of it is done inside, as the sandbox's user, and below
/// the workspace: a link on the way is followed if it is relative and its target lies in there, too.
/// Names and contents are user code's.
#[async_trait]
pub trait FileSystem {
    /// Lists what is below a directory, or below the workspace: `depth` levels of it, 1 is the directory
    /// alone, and at most `limit` entries, of which those are taken that lie nearest to the top. Links
    /// below it are not followed.
    ///
    /// # Errors
    /// [`SandboxError::File`] if there is no such directory.
    async fn tree(
        &self,
        directory: Option<&FilePath>,
        depth: u32,
        limit: usize,
    ) -> Result<Tree, SandboxError>;
}
