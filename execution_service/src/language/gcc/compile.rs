//! The commands: the driver, then the program it made.

use super::Dialect;
use super::diagnose::diagnose;
use super::flags::links_a_library;
use super::last_words;
use super::sources::{along, texts};
use crate::language::compiled::CompiledLanguage;
use crate::language::compiler_flags::CompilerFlags;
use crate::language::diagnostic::Diagnostic;
use crate::language::environment::environment;
use crate::language::program::Program;
use crate::sandbox::spec::{
    Command, ControlChannel, Exit, REQUEST_DIR, RUNTIMES_DIR, Stdin, WORKSPACE,
};

/// Assembler and compiler run side by side; diagnostics are read in their plain form; the linker's plugin
/// serves `-flto` alone, which is not allowed, and would be loaded for nothing.
const FIXED_FLAGS: [&str; 4] =
    ["-pipe", "-fno-use-linker-plugin", "-Wall", "-fdiagnostics-plain-output"];

/// Read before the program: see there.
const LINE_BUFFERED: &str = "c/lines.h";

/// By which a C++ program gives its streams buffers of their own, and what is read before such a program:
/// see there.
const UNSYNCED: &str = "sync_with_stdio";
const UNSYNCED_LINES: &str = "cpp/unsynced.h";
const WRAPPED: &str = "-Wl,--wrap=_ZNSt8ios_base15sync_with_stdioEb";

/// How the sanitizer of addresses is told what to do, and what it cannot do here: it would look for leaks
/// with ptrace, which no sandbox has, and end every program with an error of its own.
const SANITIZER: &str = "ASAN_OPTIONS";
const NO_LEAKS: &str = "detect_leaks=0";

const EXECUTABLE: &str = "main";

fn executable_path(program: Program<'_>) -> String {
    format!("{REQUEST_DIR}/{}", program.place.beside(EXECUTABLE))
}

impl CompiledLanguage for Dialect {
    fn source_file(&self) -> &'static str {
        self.source_file
    }

    fn executable_file(&self) -> &'static str {
        EXECUTABLE
    }

    fn flags(&self) -> &CompilerFlags {
        &self.flags
    }

    fn compile(&self, executable: &str, program: Program<'_>) -> Command {
        let given = self.flags.joined(program.compiler_flags);
        let (sources, given): (Vec<String>, Vec<String>) =
            given.into_iter().partition(|flag| self.flags.is_source(flag));
        let (libraries, flags): (Vec<String>, Vec<String>) =
            given.into_iter().partition(|flag| links_a_library(flag));
        // A file of a session may need anything, and so may a header of the user's own.
        let needs_libm = !sources.is_empty()
            || !program.files.is_empty()
            || (self.needs_libm)(program.code, &flags);
        let sources = along(self, program, sources);

        let mut args: Vec<String> = FIXED_FLAGS.map(String::from).to_vec();
        args.extend([String::from("-include"), format!("{RUNTIMES_DIR}/{LINE_BUFFERED}")]);
        if self.is_cpp && texts(program).any(|text| text.contains(UNSYNCED)) {
            args.extend([String::from("-include"), format!("{RUNTIMES_DIR}/{UNSYNCED_LINES}")]);
            args.push(String::from(WRAPPED));
        }
        args.extend([String::from("-o"), executable_path(program)]);
        args.extend(flags);
        args.extend([String::from("-pthread"), String::from(self.source_file)]);
        if !sources.is_empty() {
            // A source in a folder finds headers by the paths that the others use.
            args.extend([String::from("-iquote"), String::from(".")]);
        }
        args.extend(sources.into_iter().map(as_a_path));
        // Libraries come behind what needs them.
        args.extend(libraries);
        if needs_libm {
            args.push(String::from("-lm"));
        }
        Command {
            program: String::from(executable),
            args,
            env: environment(executable, &[]),
            working_directory: String::from(WORKSPACE),
            stdin: Stdin::Null,
            control: ControlChannel::None,
        }
    }

    fn run(&self, _executable: &str, program: Program<'_>) -> Command {
        let path = executable_path(program);
        let mut env = environment("", &[]);
        env.extend(program.env.clone());
        if program.compiler_flags.iter().any(|flag| flag.starts_with("-fsanitize=")) {
            let theirs = env.get(SANITIZER).map_or_else(String::new, |said| format!(":{said}"));
            env.insert(String::from(SANITIZER), format!("{NO_LEAKS}{theirs}"));
        }
        Command {
            program: path,
            args: program.args.to_vec(),
            env,
            working_directory: String::from(program.working_directory),
            stdin: program.stdin.map_or(Stdin::Null, |path| Stdin::File(String::from(path))),
            control: ControlChannel::None,
        }
    }

    fn diagnose(&self, compiler_output: &str) -> Diagnostic {
        diagnose(self, compiler_output)
    }

    fn explain(&self, exit: Exit, said: &str) -> Option<Diagnostic> {
        last_words::read(exit, said)
    }
}

/// A path that the driver takes for nothing else: not for a flag, and not for a file of flags.
fn as_a_path(path: String) -> String {
    if path.starts_with(['-', '@']) { format!("./{path}") } else { path }
}

#[cfg(test)]
mod tests;
