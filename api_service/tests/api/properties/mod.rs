//! What must hold for any input at all, tried with some hundreds that nobody thought of.

mod contract;
mod domain;
