//! C: gcc, then the program it made.

use super::flags::FLAGS;
use super::libm;
use crate::language::compiled::CompiledLanguage;
use crate::language::compiler_flags::CompilerFlags;
use crate::language::diagnostic::{Diagnostic, Kind};
use crate::language::environment::environment;
use crate::language::program::Program;
use crate::sandbox::spec::{Command, ControlChannel, REQUEST_DIR, RUNTIMES_DIR, Stdin, WORKSPACE};

/// Assembler and compiler run side by side; [`read_error`] needs the plain form; the linker's plugin
/// serves `-flto` alone, which is not allowed, and would be loaded for nothing.
const FIXED_FLAGS: [&str; 4] =
    ["-pipe", "-fno-use-linker-plugin", "-Wall", "-fdiagnostics-plain-output"];

/// Read before the program: see there.
const LINE_BUFFERED: &str = "c/lines.h";

/// What gcc and its programs say when they run into a limit, and the error number that it stands for, as
/// `errno(3)` has it. The driver ends with status 1 whatever became of the others.
const LIMITS: [(&str, i32); 4] = [
    ("out of memory", 12),
    ("Cannot allocate memory", 12),
    // SIGXFSZ: of the compiler or the assembler, and of the linker.
    ("error: File size limit exceeded signal terminated program", 27),
    ("error: ld terminated with signal 25", 27),
];

/// What gcc makes, run.
pub struct Gcc;

const SOURCE: &str = "main.c";

const EXECUTABLE: &str = "main";

fn executable_path(program: Program<'_>) -> String {
    format!("{REQUEST_DIR}/{}", program.place.beside(EXECUTABLE))
}

impl CompiledLanguage for Gcc {
    fn source_file(&self) -> &'static str {
        SOURCE
    }

    fn executable_file(&self) -> &'static str {
        EXECUTABLE
    }

    fn flags(&self) -> &'static CompilerFlags {
        &FLAGS
    }

    fn compile(&self, executable: &str, program: Program<'_>) -> Command {
        let mut args: Vec<String> = FIXED_FLAGS.map(String::from).to_vec();
        args.extend([String::from("-include"), format!("{RUNTIMES_DIR}/{LINE_BUFFERED}")]);
        args.extend([String::from("-o"), executable_path(program)]);
        let (libraries, flags): (Vec<&String>, Vec<&String>) =
            program.compiler_flags.iter().partition(|flag| flag.starts_with("-l"));
        args.extend(flags.into_iter().cloned());
        args.extend([String::from("-pthread"), String::from(SOURCE)]);
        // Libraries come behind what needs them.
        args.extend(libraries.into_iter().cloned());
        if libm::may_be_needed(program.code, program.compiler_flags) {
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
        let located = compiler_output.lines().find_map(read_error);
        let unlocated = || {
            let line = compiler_output.lines().find(|line| line.contains("error:"));
            let undefined =
                compiler_output.lines().find(|line| line.contains("undefined reference"));
            let text = undefined.or(line).unwrap_or("the compiler failed").trim();
            Diagnostic::new(Kind::Compile, "link_error", text)
        };
        let mut diagnostic = located.unwrap_or_else(unlocated);
        diagnostic.errno =
            LIMITS.iter().find(|(said, _)| compiler_output.contains(said)).map(|(_, errno)| *errno);
        if diagnostic.message.contains("No such file or directory") {
            diagnostic.hint =
                Some(String::from("only the C library and its headers are installed here"));
        } else if diagnostic.message.contains("undefined reference to `main'") {
            diagnostic.hint = Some(String::from("a program needs `int main(void)`"));
        }
        diagnostic
    }
}

/// Reads `file:line:column: error: message`, gcc's plain form.
fn read_error(line: &str) -> Option<Diagnostic> {
    let (place, message) =
        line.split_once(": fatal error: ").or_else(|| line.split_once(": error: "))?;
    let mut parts = place.rsplitn(3, ':');
    let column = parts.next()?.parse().ok()?;
    let row = parts.next()?.parse().ok()?;
    let file = parts.next()?;
    let mut diagnostic = Diagnostic::new(Kind::Compile, "compile_error", message);
    diagnostic.file = Some(String::from(file));
    diagnostic.line = Some(row);
    diagnostic.column = Some(column);
    Some(diagnostic)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_error_is_located() {
        let said = "main.c: In function ‘main’:\nmain.c:2:7: warning: unused variable ‘x’\n\
                    main.c:3:12: error: ‘y’ undeclared (first use in this function)\n\
                    main.c:9:1: error: expected ‘}’\n";
        let diagnostic = Gcc.diagnose(said);
        assert_eq!(diagnostic.kind, Kind::Compile);
        assert_eq!((diagnostic.line, diagnostic.column), (Some(3), Some(12)));
        assert_eq!(diagnostic.file.as_deref(), Some("main.c"));
        assert!(diagnostic.message.starts_with("‘y’ undeclared"));
    }

    #[test]
    fn a_linker_error_names_the_symbol() {
        let said = "/usr/bin/ld: /tmp/x.o: in function `main':\nmain.c:(.text+0x5): undefined \
                    reference to `foo'\ncollect2: error: ld returned 1 exit status\n";
        let diagnostic = Gcc.diagnose(said);
        assert_eq!(diagnostic.name, "link_error");
        assert!(diagnostic.message.contains("`foo'"));
    }

    #[test]
    fn a_limit_that_stopped_a_part_of_the_compiler_is_told_from_an_error() {
        for (said, errno) in [
            ("cc1: out of memory allocating 65536 bytes after a total of 1000 bytes", Some(12)),
            (
                "gcc: internal compiler error: File size limit exceeded signal terminated program as",
                Some(27),
            ),
            (
                "collect2: fatal error: ld terminated with signal 25 [File size limit exceeded]",
                Some(27),
            ),
            ("main.c:1:2: error: #error File size limit exceeded", None),
        ] {
            assert_eq!(Gcc.diagnose(said).errno, errno, "{said}");
        }
    }

    proptest! {
        #[test]
        fn a_compiler_may_say_anything(
            said in prop_oneof![".*", "([a-z./:0-9]{0,12}(: error: |: fatal error: |\n|:)){0,20}"],
        ) {
            let diagnostic = Gcc.diagnose(&said);
            prop_assert_eq!(diagnostic.kind, Kind::Compile);
            prop_assert!(diagnostic.message == "the compiler failed" || said.contains(&diagnostic.message));
        }

        #[test]
        fn what_gcc_says_is_read(
            file in "[a-z/:.]{1,12}", line in 1_u32.., column in 1_u32..,
            fatal in any::<bool>(), message in "[a-z' ]{1,30}", before in "[a-z ]{0,20}",
        ) {
            let kind = if fatal { "fatal error" } else { "error" };
            let diagnostic = Gcc.diagnose(&format!("{before}\n{file}:{line}:{column}: {kind}: {message}"));
            prop_assert_eq!((diagnostic.line, diagnostic.column), (Some(line), Some(column)));
            prop_assert_eq!(diagnostic.file, Some(file));
            prop_assert_eq!(diagnostic.message, message);
        }
    }
}
