//! The `run` message of `runtimes/README.md`, for kernels that read JSON lines.

use serde_json::json;

use super::program::{Mode, Program};

/// One line, without its end. `file` is what the language calls the program in messages.
pub fn run_message(id: u64, mode: Mode, file: &str, program: Program<'_>) -> String {
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
