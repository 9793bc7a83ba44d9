//! The real launcher, the real services, real sandboxes: everything as an operator would start it.

mod crucible;
mod first_answer;
mod lifecycle;
