//! The files of a workspace, by way of its init.

use async_trait::async_trait;

use super::sandbox::LinuxSandbox;
use crate::sandbox::backend::SandboxError;
use crate::sandbox::files::{FilePath, FileSystem, Tree};

#[async_trait]
impl FileSystem for LinuxSandbox {
    async fn tree(
        &self,
        directory: Option<&FilePath>,
        depth: u32,
        limit: usize,
    ) -> Result<Tree, SandboxError> {
        self.walk(directory, depth, limit).await
    }
}
