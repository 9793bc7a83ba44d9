//! Python: a kernel that is told JSON lines on descriptor 3 and speaks them on 4.

use std::collections::BTreeMap;

use super::notation;
use crate::language::environment::environment;
use crate::language::kernel::{Channel, KernelLanguage, KernelRequest, KernelStart};
use crate::language::program::{Mode, Program};
use crate::language::request_place::RequestPlace;
use crate::language::run_message::run_message;
use crate::sandbox::spec::{Command, ControlChannel, RUNTIMES_DIR, Stdin, WORKSPACE};

/// CPython, kept warm.
pub struct PythonKernel;

/// Modules worth loading beforehand, by the distribution that has them: those that models use most.
const USUAL: &[(&str, &str)] = &[
    ("numpy", "numpy"),
    ("pandas", "pandas"),
    ("matplotlib", "matplotlib.pyplot"),
    ("ipython", "IPython.display"),
];

/// Packages that import some of these: their programs have less to load beside them.
const BUILT_ON_THEM: [&str; 7] =
    ["scipy", "sklearn", "statsmodels", "seaborn", "plotly", "altair", "cv2"];

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
        // pandas loads pyarrow where it is installed, whose allocator would start a thread; no zygote may.
        ("JE_ARROW_MALLOC_CONF", "background_thread:false"),
    ];
    Command {
        program: String::from(executable),
        args,
        env: environment(executable, &extra),
        working_directory: String::from(WORKSPACE),
        stdin: Stdin::Null,
        control: ControlChannel::Pipes,
    }
}

impl KernelLanguage for PythonKernel {
    fn start(&self, executable: &str, _place: RequestPlace) -> KernelStart {
        let command = command(executable, "kernel.py", &[]);
        KernelStart { command, channel: Channel::Pipes }
    }

    fn zygote(&self, executable: &str, libraries: &[String]) -> Option<Command> {
        Some(command(executable, "zygote.py", libraries))
    }

    fn usual_libraries(&self, packages: Option<&BTreeMap<String, String>>) -> Vec<String> {
        let is_there = |distribution: &str| {
            packages.is_none_or(|packages| packages.contains_key(distribution))
        };
        let usual = USUAL.iter().filter(|(distribution, _)| is_there(distribution));
        usual.map(|(_, module)| String::from(*module)).collect()
    }

    fn needs(&self, code: &str, libraries: &[String]) -> bool {
        let loaded = libraries.iter().filter_map(|library| library.split('.').next());
        let named = |package| {
            code.contains(package) || (package == "IPython" && notation::is_ipython(code))
        };
        !libraries.is_empty() && loaded.chain(BUILT_ON_THEM).any(named)
    }

    fn request(&self, id: u64, mode: Mode, program: Program<'_>) -> KernelRequest {
        KernelRequest { files: Vec::new(), line: run_message(id, mode, "main.py", program) }
    }
}
