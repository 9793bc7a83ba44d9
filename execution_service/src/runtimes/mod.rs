//! What runs inside the sandboxes: one kernel a language. Their protocol is in `README.md`.

/// Path below [`crate::sandbox::spec::RUNTIMES_DIR`] and content of every file of the kernels.
pub const FILES: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/runtimes.rs"));
