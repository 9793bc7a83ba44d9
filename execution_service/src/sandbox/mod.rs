//! Isolated environments: what they are asked to be ([`spec`]), the seam ([`backend`]) and how Linux
//! does it ([`linux`]).

pub mod backend;
pub mod census;
#[cfg(test)]
pub mod fake;
pub mod files;
pub mod isolation;
pub mod spec;
pub mod workspace;

pub mod linux;
