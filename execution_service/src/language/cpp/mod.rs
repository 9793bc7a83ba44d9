//! C++, by g++.

use super::compiler_flags::CompilerFlags;
use super::descriptor::{Approach, Descriptor, Language};
use super::gcc::discovery::{Parts, examine};
use super::gcc::{Dialect, flags};
use super::toolchain::{Candidate, Toolchain, Unsuitable};

/// C++.
pub const CPP: Language = Language::new(&Descriptor {
    name: "cpp",
    title: "C++",
    aliases: &["c++", "cxx"],
    example: "#include <iostream>\nint main() { std::cout << 6 * 7 << std::endl; }",
    executables: &["g++"],
    executable_variable: "GXX_EXECUTABLE",
    install: "apt-get install g++",
    oldest: None,
    virtual_environment: None,
    examine: examine_gxx,
    approach: Approach::Compiled(&DIALECT),
});

/// C++, as g++ has it.
pub const DIALECT: Dialect = Dialect {
    source_file: "main.cpp",
    endings: ENDINGS,
    flags: CompilerFlags {
        exact: &[flags::SHARED, STANDARDS, OWN],
        prefixes: flags::PREFIXES,
        folders: flags::FOLDERS,
        sources: ENDINGS,
        refused: flags::REFUSED,
    },
    // g++ links it always.
    needs_libm: |_, _| false,
    is_cpp: true,
};

const ENDINGS: &[&str] = &["cpp", "cc", "cxx", "c++"];

const STANDARDS: &[&str] = &[
    "-std=c++98",
    "-std=c++03",
    "-std=c++11",
    "-std=c++14",
    "-std=c++17",
    "-std=c++20",
    "-std=c++2a",
    "-std=c++23",
    "-std=c++2b",
    "-std=gnu++98",
    "-std=gnu++03",
    "-std=gnu++11",
    "-std=gnu++14",
    "-std=gnu++17",
    "-std=gnu++20",
    "-std=gnu++2a",
    "-std=gnu++23",
    "-std=gnu++2b",
];

const OWN: &[&str] = &[
    "-static-libstdc++",
    "-fpermissive",
    "-fno-exceptions",
    "-fno-rtti",
    "-fnon-call-exceptions",
    "-fconcepts",
    "-fcoroutines",
    "-fchar8_t",
    "-fno-elide-constructors",
    "-fno-threadsafe-statics",
];

fn examine_gxx(candidate: Candidate<'_>) -> Result<Toolchain, Unsuitable> {
    examine(candidate, &PARTS)
}

const PARTS: Parts = Parts {
    language: "c++",
    compiler: "-print-prog-name=cc1plus",
    without_compiler: "the compiler proper, cc1plus, is not installed",
    library: "-print-file-name=libstdc++.so",
    without_library: "the C++ library's development files are not installed",
    // One that every other header reads, and quick to read itself.
    probe: "#include <cstddef>\n#include <cstdio>\n",
    without_headers: "the C++ library's headers are not installed",
};
