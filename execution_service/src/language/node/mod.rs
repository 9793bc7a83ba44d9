pub(super) mod discovery;
pub mod kernel;
