//! The real launcher, the real services, real sandboxes: everything as an operator would start it.

mod answers;
mod case;
mod charts;
mod commands;
mod contexts;
#[allow(dead_code, reason = "each of the two programs that use it uses its part")]
#[path = "../machine/crucible.rs"]
mod crucible;
mod files;
mod first_answer;
mod hostile;
mod languages;
#[allow(dead_code, reason = "each of the two programs that use it uses its part")]
#[path = "../machine/leaks.rs"]
mod leaks;
mod lifecycle;
mod limits;
mod network;
mod output;
mod packages;
#[allow(dead_code, reason = "each of the two programs that use it uses its part")]
#[path = "../machine/processes.rs"]
mod processes;
mod programs;
mod queue;
mod recovery;
mod secrecy;
mod sessions;
mod stopped;
mod streams;
mod walls;
