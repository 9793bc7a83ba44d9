//! Finds the files of the attack corpus, so that a new file in `attacks/` is part of the launcher
//! without being named anywhere else.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    // Not the constant of when this was compiled: checkouts may share a target directory.
    let package =
        env::var_os("CARGO_MANIFEST_DIR").ok_or_else(|| io::Error::other("no package"))?;
    let corpus = Path::new(&package).join("../attacks").canonicalize()?;
    println!("cargo::rerun-if-changed={}", corpus.display());
    let mut files = fs::read_dir(&corpus)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let mut list = String::from("&[\n");
    for path in files {
        let group = path.file_stem().unwrap_or_default().to_string_lossy();
        // Relative to whichever checkout is being compiled, for the same reason. Writing to a string cannot
        // fail.
        let _ = writeln!(
            list,
            "    ({group:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/../attacks/{group}.toml\"))),"
        );
    }
    list.push(']');
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?;
    fs::write(Path::new(&out).join("corpus.rs"), list)
}
