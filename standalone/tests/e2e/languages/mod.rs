//! Each language as its users expect it, in sandboxes of their own.

mod bash;
mod c;
mod cpp;
mod node;
mod python;
mod typescript;
