//! C, by gcc.

mod compile;
mod discovery;
mod flags;
mod libm;

use super::descriptor::{Approach, Descriptor, Language};

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
    examine: discovery::examine,
    approach: Approach::Compiled(&compile::Gcc),
});
