//! The real launcher, the real services, real sandboxes: everything as an operator would start it.

mod case;
mod crucible;
mod first_answer;
mod hostile;
mod languages;
mod lifecycle;
mod limits;
mod output;
mod processes;
mod queue;
mod recovery;
mod remains;
mod sessions;
mod walls;
