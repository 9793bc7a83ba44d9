//! Whether a program can need the mathematical library.
//!
//! Naming it when nothing is used costs 6 % of compiling a short program (gcc 12, 2.1 of 33 ms). Leaving
//! it out wrongly would be an error of ours, so whatever is not plainly without it gets it.

/// Headers whose macros and inline functions call nothing of it.
const PLAIN_HEADERS: &[&str] = &[
    "assert.h",
    "ctype.h",
    "errno.h",
    "fcntl.h",
    "float.h",
    "inttypes.h",
    "limits.h",
    "pthread.h",
    "signal.h",
    "stdarg.h",
    "stdatomic.h",
    "stdbool.h",
    "stddef.h",
    "stdint.h",
    "stdio.h",
    "stdlib.h",
    "string.h",
    "sys/stat.h",
    "sys/time.h",
    "sys/types.h",
    "sys/wait.h",
    "time.h",
    "unistd.h",
    "wchar.h",
];
/// How the names that glibc's libm exports begin (`nm -D libm.so.6`; a test compares). A program may
/// declare such a function itself, without any header.
const PREFIXES: &str = "\
    acos asin atan cabs cacos canonicalize carg casin catan cbrt ccos ceil cexp cimag clog conj \
    copysign cos cpow cproj creal csin csqrt ctan dadd ddiv dfma dmul drem dsqrt dsub erf exp \
    f32 f64 fabs fadd fdim fdiv fe ffma finite floor fma fmin fmod fmul frexp fromfp fsqrt fsub \
    gamma getpayload hypot ilogb j0 j1 jn ldexp lgamma llogb llrint llround log lrint lround \
    matherr modf nan nearbyint nextafter nextdown nexttoward nextup pow remainder remquo rint \
    round scalb setpayload signgam significand sin sqrt tan tgamma totalorder trunc ufromfp y0 \
    y1 yn";

/// Whether `source`, compiled with `flags`, may call anything of the library.
pub fn may_be_needed(source: &str, flags: &[String]) -> bool {
    // Names that are made of pieces: by a macro, by a line that goes on, by a flag.
    let assembled = ["##", "%:", "??", "\\\n", "\\\r"].iter().any(|sign| source.contains(sign))
        || flags.iter().any(|flag| flag.starts_with("-D"));
    assembled || !includes_are_plain(source) || words(source).any(is_suspect)
}

fn includes_are_plain(source: &str) -> bool {
    source.match_indices("include").all(|(at, word)| {
        let rest = source[at + word.len()..].trim_start();
        rest.strip_prefix('<')
            .and_then(|rest| rest.split_once('>'))
            .is_some_and(|(header, _)| PLAIN_HEADERS.contains(&header))
    })
}

fn words(source: &str) -> impl Iterator<Item = &str> {
    source.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
}

// Two underscores: __builtin_sqrt, and glibc's own names.
fn is_suspect(word: &str) -> bool {
    word.starts_with("__")
        || PREFIXES.split_ascii_whitespace().any(|prefix| word.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_programs_go_without() {
        for source in [
            "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 0; }\n",
            "# include <stdlib.h>\nstruct node { struct node *next; };\nint main(void) { return !malloc(1); }",
            "int main(void){return 0;}",
        ] {
            assert!(!may_be_needed(source, &[]), "{source}");
        }
    }

    #[test]
    fn whatever_might_call_it_gets_it() {
        for source in [
            "#include <math.h>\nint main(void) { return 0; }",
            "#include \"mine.h\"\nint main(void) { return f(); }",
            "double sqrt(double);\nint main(int n, char **v) { return sqrt(n); }",
            "int main(int n, char **v) { return __builtin_cbrtl(n); }",
            "#define CALL(a, b) a##b(2.0)\nint main(void) { return CALL(sq, rt); }",
            "int main(int n, char **v) { return sq\\\nrt(n); }",
            "int main(void) { return dlsym(0, \"sinf\") == 0; }",
            "#define H <math.h>\n#include H\nint main(void) { return 0; }",
        ] {
            assert!(may_be_needed(source, &[]), "{source}");
        }
        let defined = [String::from("-DF=sqrt")];
        assert!(may_be_needed("int main(int n, char **v) { return F(n); }", &defined));
    }

    #[test]
    fn every_exported_name_is_known() {
        let library = "/lib/x86_64-linux-gnu/libm.so.6";
        let listed =
            std::process::Command::new("nm").args(["-D", "--defined-only", library]).output();
        let names = match listed {
            Ok(output) if output.status.success() => output.stdout,
            Ok(_) | Err(_) => {
                eprintln!("skipped: every_exported_name_is_known (no nm, or no {library})");
                return;
            }
        };
        let names = String::from_utf8_lossy(&names).into_owned();
        let functions = names
            .lines()
            .filter_map(|line| [" T ", " W ", " i "].iter().find_map(|kind| line.split_once(kind)))
            .filter_map(|(_, name)| name.split('@').next());
        let unknown: Vec<&str> = functions.filter(|name| !is_suspect(name)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    proptest! {
        #[test]
        fn a_name_is_seen_wherever_it_stands(
            before in ".*", after in ".*", name in prop_oneof![Just("sqrt"), Just("__builtin_pow"), Just("y1")],
        ) {
            let source = format!("{before} {name}({after}");
            prop_assert!(may_be_needed(&source, &[]), "{}", source);
        }
    }
}
