//! The translator as a program of its own, which the tests of the kernels start. The worker's and the launcher's
//! executables do the same when their first argument is `typescript`.

use std::process::ExitCode;

fn main() -> ExitCode {
    typescript::serve_if_asked(std::env::args_os()).unwrap_or_else(|| {
        eprintln!("usage: typescript typescript [--keep-imports] < program.ts");
        ExitCode::FAILURE
    })
}
