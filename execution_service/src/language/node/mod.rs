//! JavaScript, by Node.js; and TypeScript where the Node found can strip types.

mod discovery;
mod kernel;

pub(super) use discovery::examine;
pub(super) use kernel::start;

use super::descriptor::{Approach, Descriptor, Language};

/// JavaScript.
pub const NODE: Language = Language::new(&Descriptor {
    name: "node",
    title: "Node",
    aliases: &["javascript", "js"],
    example: "6 * 7",
    // Debian's package was called nodejs for years, and its alternative still is.
    executables: &["node", "nodejs"],
    executable_variable: "NODE_EXECUTABLE",
    install: "apt-get install nodejs",
    oldest: Some(discovery::OLDEST),
    virtual_environment: None,
    examine: discovery::examine,
    approach: Approach::Kernel(&kernel::NodeKernel),
});
