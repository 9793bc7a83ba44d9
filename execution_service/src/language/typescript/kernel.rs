//! The kernel: Node's with other files, which is told where the translator is.

use crate::language::kernel::{KernelLanguage, KernelRequest, KernelStart};
use crate::language::node;
use crate::language::program::{Mode, Program};
use crate::language::request_place::RequestPlace;
use crate::language::run_message::run_message;
use crate::sandbox::spec::{OWN_EXECUTABLE, RUNTIMES_DIR};

/// TypeScript, kept warm.
pub struct TypeScriptKernel;

impl KernelLanguage for TypeScriptKernel {
    fn start(&self, executable: &str, _place: RequestPlace) -> KernelStart {
        let kernel = format!("{RUNTIMES_DIR}/typescript/kernel.cjs");
        node::start(executable, vec![kernel, String::from(OWN_EXECUTABLE)])
    }

    fn request(&self, id: u64, mode: Mode, program: Program<'_>) -> KernelRequest {
        KernelRequest { files: Vec::new(), line: run_message(id, mode, "main.ts", program) }
    }
}
