//! TypeScript: Node's kernel, which has each program put into JavaScript first, by this very executable, inside
//! of the sandbox.

mod discovery;
mod kernel;

use super::descriptor::{Approach, Descriptor, Language};
use super::node;

/// TypeScript, on the same Node as JavaScript.
pub const TYPESCRIPT: Language = Language::new(&DESCRIPTOR);

static DESCRIPTOR: Descriptor = Descriptor {
    name: "typescript",
    title: "TypeScript",
    aliases: &["ts"],
    example: "const product = (a: number, b: number): number => a * b;\nproduct(6, 7)",
    executable_variable: node::NODE.descriptor().executable_variable,
    executables: node::NODE.descriptor().executables,
    install: node::NODE.descriptor().install,
    oldest: node::NODE.descriptor().oldest,
    virtual_environment: None,
    examine: discovery::examine,
    approach: Approach::Kernel(&kernel::TypeScriptKernel),
};
