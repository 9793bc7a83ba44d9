//! Running a program from request to outcome: the limits it gets ([`limits`]), where it takes place
//! ([`runner`], [`kernel`]), how it is followed ([`run`], [`drive`], [`output`]), why it ended ([`ending`]), what
//! that is called ([`judge`], [`outcome`]) and what is kept of it for a while ([`outputs`]).

pub mod artifacts;
pub mod changes;
pub mod compiled;
mod compiling;
pub mod drive;
pub mod ending;
pub mod event;
pub mod frames;
pub mod handle;
pub mod input;
pub mod judge;
pub mod kernel;
mod last_words;
pub mod limits;
pub mod outcome;
pub mod output;
pub mod outputs;
pub mod request;
mod rules;
pub mod run;
pub mod runner;
#[cfg(test)]
pub mod sample;
pub mod sharing;
pub mod signals;
pub mod sink;
pub mod stream;
mod streams;
mod watch;
