//! Running a program from request to outcome: the limits it gets ([`limits`]), where it takes place
//! ([`workplace`], [`kernel`]), how it is followed ([`run`], [`drive`], [`output`]) and what came of
//! it ([`outcome`]).

pub mod compiled;
mod compiling;
pub mod drive;
pub mod event;
pub mod frames;
pub mod kernel;
pub mod limits;
pub mod outcome;
pub mod output;
pub mod request;
pub mod run;
mod signals;
pub mod sink;
pub mod workplace;
