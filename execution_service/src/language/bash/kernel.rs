//! Bash: a kernel that reads its requests from files and speaks through FIFOs.

use std::fmt::Write;

use crate::language::environment::environment;
use crate::language::kernel::{Channel, KernelLanguage, KernelRequest, KernelStart};
use crate::language::program::{Mode, Program};
use crate::language::request_place::RequestPlace;
use crate::sandbox::spec::{Command, ControlChannel, REQUEST_DIR, RUNTIMES_DIR, Stdin, WORKSPACE};

const INCOMING: &str = "in";
const OUTGOING: &str = "out";
const SCRIPT: &str = "main.sh";
const KERNEL: &str = "bash/kernel.sh";
const BYTE_ORDER_MARK: char = '\u{feff}';

/// In a script with one of these the kernel sets no trap of its own, which the script would list, or show
/// as it is read.
const LOOKS_AT_TRAPS: [&str; 5] = ["trap", "set -v", "set -xv", "set -vx", "-o verbose"];

/// GNU bash, kept warm.
pub struct BashKernel;

impl KernelLanguage for BashKernel {
    fn start(&self, executable: &str, place: RequestPlace) -> KernelStart {
        let args = vec![
            String::from("--noprofile"),
            String::from("--norc"),
            format!("{}/{SCRIPT}", place.directory()),
            format!("{REQUEST_DIR}/{}", place.beside(INCOMING)),
            format!("{REQUEST_DIR}/{}", place.beside(OUTGOING)),
            place.directory(),
        ];
        let command = Command {
            program: String::from(executable),
            args,
            // Read before the script, which is opened only when it is there: see kernel.sh.
            env: environment(executable, &[("BASH_ENV", &format!("{RUNTIMES_DIR}/{KERNEL}"))]),
            working_directory: String::from(WORKSPACE),
            stdin: Stdin::Null,
            control: ControlChannel::None,
        };
        let channel = Channel::Fifos { incoming: INCOMING, outgoing: OUTGOING };
        KernelStart { command, channel }
    }

    fn request(&self, id: u64, mode: Mode, program: Program<'_>) -> KernelRequest {
        let files = vec![
            // Editors put the mark there; to bash it is a part of the first command's name.
            (SCRIPT, Vec::from(program.code.trim_start_matches(BYTE_ORDER_MARK))),
            ("prologue.sh", prologue(program).into_bytes()),
        ];
        let line = match mode {
            Mode::Once => format!("once {id}"),
            Mode::Session => format!("session {id}"),
        };
        KernelRequest { files, line }
    }
}

/// What the kernel sources before the user's code.
fn prologue(program: Program<'_>) -> String {
    let mut text = String::new();
    for (name, value) in program.env {
        // Names are checked where requests come in; a String takes any text without error.
        let _ = writeln!(text, "export {name}={}", quote(value));
    }
    text.push_str("set --");
    for argument in program.args {
        text.push(' ');
        text.push_str(&quote(argument));
    }
    let stdin = quote(program.stdin.unwrap_or("/dev/null"));
    let _ = writeln!(text, "\n__crucible_stdin={stdin}");
    if LOOKS_AT_TRAPS.iter().any(|words| has_words(program.code, words)) {
        text.push_str("__crucible_looks_at_traps=1\n");
    }
    text
}

/// Whether `words` stand in `code` by themselves: `bootstrap` sets no trap.
fn has_words(code: &str, words: &str) -> bool {
    let is_inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    code.match_indices(words).any(|(at, words)| {
        let (before, after) = (&code[..at], &code[at + words.len()..]);
        !is_inside(before.chars().next_back()) && !is_inside(after.chars().next())
    })
}

/// One word for the shell: nothing is special between single quotes but the quote itself.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_and_variables_arrive_as_they_were() {
        let args = [String::from("it's"), String::from("$(id) `id` \"x\"\n")];
        let env = [(String::from("K"), String::from("a'b"))].into();
        let program = Program {
            code: "",
            args: &args,
            env: &env,
            stdin: None,
            files: &[],
            compiler_flags: &[],
            working_directory: WORKSPACE,
            place: RequestPlace::FIRST,
        };
        let script = format!("{}printf '%s|' \"$@\" \"$K\"", prologue(program));
        let output = std::process::Command::new("bash").arg("-c").arg(script).output();
        let output = output.expect("bash is a requirement of this project");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "it's|$(id) `id` \"x\"\n|a'b|");
    }
    #[test]
    fn a_word_is_one_by_itself() {
        for code in ["trap", "a;trap 'x' EXIT", "(trap)", "set -v\n"] {
            assert!(LOOKS_AT_TRAPS.iter().any(|words| has_words(code, words)), "{code}");
        }
        for code in ["bootstrap.sh", "traps=1", "my_trap", "set -value"] {
            assert!(!LOOKS_AT_TRAPS.iter().any(|words| has_words(code, words)), "{code}");
        }
    }
}
