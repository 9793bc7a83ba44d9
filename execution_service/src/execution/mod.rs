//! Running a program from request to outcome: the limits it gets ([`limits`]), where it takes place
//! ([`workplace`], [`kernel`]), how it is followed ([`run`], [`drive`], [`output`]), what came of it
//! ([`outcome`]) and what is kept of it for a while ([`outputs`]).

pub mod compiled;
mod compiling;
pub mod drive;
pub mod event;
pub mod frames;
pub mod kernel;
pub mod limits;
pub mod outcome;
pub mod output;
pub mod outputs;
pub mod request;
pub mod run;
mod signals;
pub mod sink;
mod streams;
mod watch;
pub mod workplace;
