//! The migrations are compiled in: a change of one is a change of the crate.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
