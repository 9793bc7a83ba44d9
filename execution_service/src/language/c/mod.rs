pub mod compile;
pub(super) mod discovery;
mod libm;
