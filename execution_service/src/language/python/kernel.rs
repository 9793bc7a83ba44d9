//! Python: a kernel that is told JSON lines on descriptor 3 and speaks them on 4.

use std::collections::BTreeMap;

use serde_json::json;

use crate::language::environment::environment;
use crate::language::{Channel, KernelLanguage, KernelRequest, KernelStart, Mode, Program};
use crate::sandbox::spec::{Command, RUNTIMES_DIR, Stdin, WORKSPACE};

/// See the module.
pub struct Python;

/// Modules worth loading beforehand, by the distribution that has them: those that models use most.
const USUAL: &[(&str, &str)] = &[
    ("numpy", "numpy"),
    ("pandas", "pandas"),
    ("matplotlib", "matplotlib.pyplot"),
    ("ipython", "IPython.display"),
];

/// The usual modules of the installed `packages`.
pub fn usual_libraries(packages: &BTreeMap<String, String>) -> Vec<String> {
    let installed = USUAL.iter().filter(|(distribution, _)| packages.contains_key(*distribution));
    installed.map(|(_, module)| String::from(*module)).collect()
}

/// Runs `script` of our runtime. Kernel and zygote are started alike, so that it makes no difference to a
/// program which of the two it came from.
fn command(executable: &str, script: &str, args: &[String]) -> Command {
    let script = format!("{RUNTIMES_DIR}/python/{script}");
    let fixed = ["-I", "-X", "utf8", &script].map(String::from);
    let args = fixed.iter().chain(args).cloned().collect();
    let extra = [
        ("MPLBACKEND", "agg"),
        ("MPLCONFIGDIR", "/tmp/.matplotlib"),
        ("PLOTLY_RENDERER", "plotly_mimetype"),
        // One core is what a sandbox has by default; BLAS would start a thread for each of the
        // machine's.
        ("OPENBLAS_NUM_THREADS", "1"),
        ("OMP_NUM_THREADS", "1"),
    ];
    Command {
        program: String::from(executable),
        args,
        env: environment(executable, &extra),
        working_directory: String::from(WORKSPACE),
        stdin: Stdin::Null,
        control: true,
    }
}

impl KernelLanguage for Python {
    fn start(&self, executable: &str) -> KernelStart {
        let command = command(executable, "kernel.py", &[]);
        KernelStart { command, channel: Channel::Pipes }
    }

    fn zygote(&self, executable: &str, libraries: &[String]) -> Option<Command> {
        Some(command(executable, "zygote.py", libraries))
    }

    fn needs(&self, code: &str, libraries: &[String]) -> bool {
        let mut packages = libraries.iter().filter_map(|library| library.split('.').next());
        packages.any(|package| code.contains(package))
    }

    fn request(&self, id: u64, mode: Mode, program: Program<'_>) -> KernelRequest {
        KernelRequest { files: Vec::new(), line: json_line(id, mode, "main.py", program) }
    }
}

/// The `run` message of `runtimes/README.md`.
pub fn json_line(id: u64, mode: Mode, file: &str, program: Program<'_>) -> String {
    let mode = match mode {
        Mode::Once => "once",
        Mode::Session => "session",
    };
    json!({
        "op": "run",
        "mode": mode,
        "id": id,
        "code": program.code,
        "file": file,
        "args": program.args,
        "env": program.env,
        "stdin": program.stdin,
    })
    .to_string()
}
