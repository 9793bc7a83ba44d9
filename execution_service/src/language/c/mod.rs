//! C, by gcc.

mod libm;

use super::compiler_flags::CompilerFlags;
use super::descriptor::{Approach, Descriptor, Language};
use super::gcc::discovery::{Parts, examine};
use super::gcc::{Dialect, flags};
use super::toolchain::{Candidate, Toolchain, Unsuitable};

/// C.
pub const C: Language = Language::new(&Descriptor {
    name: "c",
    title: "C",
    aliases: &[],
    example: "int puts(const char *); int main(void) { return puts(\"42\") < 0; }",
    executables: &["gcc"],
    executable_variable: "GCC_EXECUTABLE",
    install: "apt-get install gcc libc6-dev",
    oldest: None,
    virtual_environment: None,
    examine: examine_gcc,
    approach: Approach::Compiled(&DIALECT),
});

/// C, as gcc has it.
pub const DIALECT: Dialect = Dialect {
    source_file: "main.c",
    endings: ENDINGS,
    flags: CompilerFlags {
        exact: &[flags::SHARED, STANDARDS],
        prefixes: flags::PREFIXES,
        folders: flags::FOLDERS,
        sources: ENDINGS,
        refused: flags::REFUSED,
    },
    needs_libm: libm::may_be_needed,
    is_cpp: false,
};

const ENDINGS: &[&str] = &["c"];

const STANDARDS: &[&str] = &[
    "-std=c89",
    "-std=c90",
    "-std=c99",
    "-std=c11",
    "-std=c17",
    "-std=c18",
    "-std=c2x",
    "-std=c23",
    "-std=gnu89",
    "-std=gnu90",
    "-std=gnu99",
    "-std=gnu11",
    "-std=gnu17",
    "-std=gnu18",
    "-std=gnu2x",
    "-std=gnu23",
];

fn examine_gcc(candidate: Candidate<'_>) -> Result<Toolchain, Unsuitable> {
    examine(candidate, &PARTS)
}

const PARTS: Parts = Parts {
    language: "c",
    compiler: "-print-prog-name=cc1",
    without_compiler: "the compiler proper, cc1, is not installed",
    library: "-print-file-name=crt1.o",
    without_library: "the C library's development files are not installed",
    probe: "#include <math.h>\n#include <pthread.h>\n#include <stdio.h>\n",
    without_headers: "the C library's headers are not installed",
};
