//! Node: a kernel that is told JSON lines on descriptor 3 and speaks them on 4.

use crate::language::environment::environment;
use crate::language::kernel::{Channel, KernelLanguage, KernelRequest, KernelStart};
use crate::language::program::{Mode, Program};
use crate::language::request_place::RequestPlace;
use crate::language::run_message::run_message;
use crate::sandbox::spec::{Command, ControlChannel, RUNTIMES_DIR, Stdin, WORKSPACE};

/// Node 18 to 20.11 have `import()` in a script of ours by this alone, and end the kernel without it. It is
/// of no consequence to later ones, and the kernel hides it from programs.
const FLAG: &str = "--experimental-vm-modules";

/// Node.js, kept warm.
pub struct NodeKernel;

/// How a Node is started with `kernel`, a script and its arguments.
pub fn start(executable: &str, kernel: Vec<String>) -> KernelStart {
    let command = Command {
        program: String::from(executable),
        args: [vec![String::from(FLAG)], kernel].concat(),
        env: environment(executable, &[]),
        working_directory: String::from(WORKSPACE),
        stdin: Stdin::Null,
        control: ControlChannel::Pipes,
    };
    KernelStart { command, channel: Channel::Pipes }
}

impl KernelLanguage for NodeKernel {
    fn start(&self, executable: &str, _place: RequestPlace) -> KernelStart {
        start(executable, vec![format!("{RUNTIMES_DIR}/node/kernel.cjs")])
    }

    fn request(&self, id: u64, mode: Mode, program: Program<'_>) -> KernelRequest {
        KernelRequest { files: Vec::new(), line: run_message(id, mode, "main.js", program) }
    }
}
