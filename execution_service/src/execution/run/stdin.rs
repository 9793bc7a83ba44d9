//! What a program reads on standard input: all of it from a file, or as it comes by a FIFO.

use std::io;

use super::Run;
use crate::execution::input::Input;
use crate::execution::kernel::request_path;
use crate::execution::runner::Runner;
use crate::sandbox::backend::{InputStream, SandboxError};
use crate::sandbox::files::{FileMode, Root};

/// What a program reads on standard input, in the request directory.
pub(in crate::execution) const STDIN: &str = "stdin";

impl Run<'_> {
    /// Standard input is a file: it cannot block us, and its end is its end.
    pub(in crate::execution) async fn hand_over_stdin(
        &self,
        runner: &Runner,
    ) -> Result<(), SandboxError> {
        if self.request.stdin.is_empty() {
            return Ok(());
        }
        let (path, content) = (request_path(&runner.place.file(STDIN)), &self.request.stdin);
        runner.sandbox.write_file(Root::Requests, &path, content, FileMode::Regular).await
    }

    pub(in crate::execution) fn has_stdin(&self) -> bool {
        !self.request.stdin.is_empty() || self.request.input.is_some()
    }

    /// For a kernel, which opens its standard input by its name: where it stays open, that is a FIFO.
    pub(in crate::execution) async fn open_input(
        &self,
        runner: &Runner,
    ) -> Result<Option<(&Input, impl Future<Output = io::Result<InputStream>> + use<>)>, SandboxError>
    {
        let Some(input) = &self.request.input else {
            return Ok(None);
        };
        let path = request_path(&runner.place.file(STDIN));
        let fifo = runner.sandbox.make_fifo(&path).await?;
        Ok(Some((&**input, fifo.until_it_is_read())))
    }
}
