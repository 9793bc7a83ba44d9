//! GNU bash.

mod discovery;
mod kernel;

use super::descriptor::{Approach, Descriptor, Language};

/// GNU bash.
pub const BASH: Language = Language::new(&Descriptor {
    name: "bash",
    title: "Bash",
    aliases: &["shell", "sh"],
    example: "echo $((6 * 7))",
    executables: &["bash"],
    executable_variable: "BASH_EXECUTABLE",
    install: "apt-get install bash",
    oldest: Some(discovery::OLDEST),
    virtual_environment: None,
    examine: discovery::examine,
    approach: Approach::Kernel(&kernel::BashKernel),
});
