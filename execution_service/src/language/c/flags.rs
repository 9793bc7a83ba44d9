//! The flags that a request may give gcc.

use crate::language::compiler_flags::CompilerFlags;

/// All of them.
pub const FLAGS: CompilerFlags = CompilerFlags {
    exact: &[
        "-O0",
        "-O1",
        "-O2",
        "-O3",
        "-Os",
        "-Og",
        "-Ofast",
        "-g",
        "-w",
        "-pedantic",
        "-pedantic-errors",
        "-ansi",
        "-pthread",
        "-fopenmp",
        "-march=native",
        "-ffast-math",
        "-fno-strict-aliasing",
        "-fwrapv",
        "-ftrapv",
        "-funsigned-char",
        "-fsigned-char",
        "-fstack-protector-strong",
        "-fsanitize=undefined",
        "-lm",
        "-lpthread",
        "-lrt",
        "-ldl",
        "-static",
    ],
    prefixes: &["-std=", "-W", "-D", "-U"],
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::language::compiler_flags::FlagError;

    #[test]
    fn flags_are_taken_from_the_list_only() {
        let flags = |list: &[&str]| list.iter().map(|flag| String::from(*flag)).collect::<Vec<_>>();
        assert_eq!(FLAGS.check(&flags(&["-O2", "-std=c99", "-Wextra", "-DN=3", "-lm"])), Ok(()));
        for bad in [
            "-o/etc/x",
            "-Wl,-rpath,/x",
            "@file",
            "-include/etc/passwd",
            "-D",
            "-x",
            "a.c",
            "-fplugin=x.so",
            "-B/tmp",
            "-DX=`id`",
            "-wrapper",
        ] {
            assert_eq!(
                FLAGS.check(&flags(&["-O2", bad])),
                Err(FlagError::NotAllowed(String::from(bad))),
                "{bad}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_flag_reaches_another_program(flag in "-[A-Za-z]{0,3}[=,@/ a-z0-9`$;-]{0,12}") {
            if FLAGS.check(std::slice::from_ref(&flag)).is_ok() {
                prop_assert!(!flag.contains([',', '@', '/', ' ', '`', '$', ';']), "{}", flag);
            }
        }
    }
}
