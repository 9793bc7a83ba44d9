//! CPython 3, bare or in a virtual environment.

mod discovery;
mod kernel;
mod notation;

use super::descriptor::{Approach, Descriptor, Language, VirtualEnvironment};

/// Python.
pub const PYTHON: Language = Language::new(&Descriptor {
    name: "python",
    title: "Python",
    aliases: &["py"],
    example: "print(6 * 7)",
    executables: &["python3"],
    executable_variable: "PYTHON_EXECUTABLE",
    install: "apt-get install python3",
    oldest: Some(discovery::OLDEST),
    virtual_environment: Some(VirtualEnvironment {
        executable: "bin/python3",
        variable: "PYTHON_ENVIRONMENT",
    }),
    examine: discovery::examine,
    approach: Approach::Kernel(&kernel::PythonKernel),
});
