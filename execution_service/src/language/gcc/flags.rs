//! The flags that a request may give gcc, in whatever language.

use crate::language::compiler_flags::Refused;

/// Those that all of its languages have.
pub const SHARED: &[&str] = &[
    "-O0",
    "-O1",
    "-O2",
    "-O3",
    "-Os",
    "-Og",
    "-Ofast",
    "-g",
    "-g3",
    "-ggdb",
    "-w",
    "-pedantic",
    "-pedantic-errors",
    "-ansi",
    "-pthread",
    "-static",
    "-static-libgcc",
    "-rdynamic",
    "-no-pie",
    "-fPIC",
    "-fPIE",
    "-pie",
    "-march=native",
    "-mtune=native",
    "-msse4.2",
    "-mavx",
    "-mavx2",
    "-mfma",
    "-fopenmp",
    "-ffast-math",
    "-fno-strict-aliasing",
    "-fno-omit-frame-pointer",
    "-fno-builtin",
    "-fwrapv",
    "-ftrapv",
    "-funroll-loops",
    "-ftree-vectorize",
    "-funsigned-char",
    "-fsigned-char",
    "-fexceptions",
    "-fstack-protector",
    "-fstack-protector-strong",
    "-fstack-protector-all",
    "-fsanitize=undefined",
    "-fsanitize=address",
    "-fsanitize=address,undefined",
    "-fsanitize=undefined,address",
    "-fsanitize=thread",
    "-fno-sanitize-recover",
    "-fno-sanitize-recover=all",
    "-fno-sanitize-recover=undefined",
];

/// `-l…` is any library of the machine: which there are, the linker says.
pub const PREFIXES: &[&str] = &["-W", "-D", "-U", "-l"];

/// Folders of the workspace in which headers are looked for.
pub const FOLDERS: &[&str] = &["-I", "-iquote", "-isystem"];

/// What people try, and why it is not to be had.
pub const REFUSED: &[Refused] = &[
    Refused {
        beginning: "-fsanitize=leak",
        why: "it stops the program with ptrace, which no sandbox has; \
              -fsanitize=address finds everything but leaks",
    },
    Refused { beginning: "-o", why: "the program is put where it is run from" },
    Refused { beginning: "-c", why: "a run compiles, links and starts the program" },
    Refused { beginning: "-S", why: "a run compiles, links and starts the program" },
    Refused { beginning: "-E", why: "a run compiles, links and starts the program" },
    Refused { beginning: "-flto", why: "the linker is started without the plug-in for it" },
    Refused { beginning: "-Wl,", why: "flags for the linker are not passed on" },
    Refused { beginning: "-Wa,", why: "flags for the assembler are not passed on" },
    Refused { beginning: "-Wp,", why: "flags for the preprocessor are not passed on" },
    Refused { beginning: "@", why: "files of flags are not read" },
    Refused { beginning: "-I/", why: "it must be a folder of the workspace, by a relative path" },
    Refused { beginning: "-x", why: "the language is that of the request" },
];

/// Whether the linker finds a library by it.
pub fn links_a_library(flag: &str) -> bool {
    flag.starts_with("-l")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::language::c::DIALECT as C;
    use crate::language::cpp::DIALECT as CPP;

    fn flags(list: &[&str]) -> Vec<String> {
        list.iter().map(|flag| String::from(*flag)).collect()
    }

    #[test]
    fn flags_are_taken_from_the_list_only() {
        for good in [
            &["-O2", "-std=c99", "-Wextra", "-DN=3", "-lm"][..],
            &["-D", "N=3", "-I", "include", "-l", "sqlite3", "-U", "NDEBUG"],
            &["-Isrc/include/", "-I.", "-DNAME=\"x\"", "lib/util.c", "util.c"],
            &["-fsanitize=address,undefined", "-g", "-fopenmp"],
        ] {
            assert_eq!(C.flags.check(&flags(good)), Ok(()), "{good:?}");
        }
        assert_eq!(CPP.flags.check(&flags(&["-std=gnu++20", "a/b.cc", "-fno-rtti"])), Ok(()));
        for bad in [
            "-o/etc/x",
            "-Wl,-rpath,/x",
            "@file",
            "-include/etc/passwd",
            "-D",
            "-l",
            "-x",
            "a.cpp",
            "a.o",
            "../a.c",
            "/etc/a.c",
            "a//b.c",
            "-I/etc",
            "-I../..",
            "-Ia/../b",
            "-fplugin=x.so",
            "-B/tmp",
            "-DX=`id`",
            "-l:libc.so",
            "-wrapper",
            "-std=c++17",
            "-fsanitize=leak",
            "-",
            "",
        ] {
            let refused = C.flags.check(&flags(&["-O2", bad])).expect_err(bad);
            assert!(
                refused.to_string().starts_with(&format!("{bad:?} is not allowed")),
                "{refused}"
            );
        }
    }

    #[test]
    fn a_refusal_says_why_and_what_there_is() {
        let refused = C.flags.check(&flags(&["-fsanitize=leak"])).expect_err("no ptrace");
        let said = refused.to_string();
        assert!(said.contains("ptrace") && said.contains("GET /v1/languages"), "{said}");
        let said = CPP.flags.check(&flags(&["-std=c99"])).expect_err("C").to_string();
        assert!(said.contains("-std=c++17"), "{said}");
    }

    proptest! {
        #[test]
        fn no_flag_reaches_another_program(flag in "-[A-Za-z]{0,3}[=,@/ a-z0-9`$;-]{0,12}") {
            if C.flags.check(std::slice::from_ref(&flag)).is_ok() {
                prop_assert!(!flag.contains([',', '@', ' ', '`', '$', ';']), "{}", flag);
                prop_assert!(!flag.contains('/') || flag.starts_with("-I") , "{}", flag);
            }
        }

        #[test]
        fn no_path_leads_out_of_the_workspace(path in "(\\.|/|a|\\.\\./|-){0,8}(\\.c)?") {
            for flag in [path.clone(), format!("-I{path}")] {
                if C.flags.check(&[flag]).is_ok() {
                    prop_assert!(!path.starts_with('/') && !path.split('/').any(|part| part == ".."));
                }
            }
        }
    }
}
