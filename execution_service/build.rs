//! Lists the files of the kernels, so that adding one is adding a file.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

const RUNTIMES: &str = "src/runtimes";

/// The one folder in it that is no language's.
const TESTS: &str = "tests";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join(RUNTIMES);
    let mut files = Vec::new();
    for entry in fs::read_dir(&root)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with(TESTS) {
            collect(&path, &mut files)?;
        }
    }
    files.sort();
    let mut list = String::from("[\n");
    for file in files {
        let name = file.strip_prefix(&root)?.display();
        // Not the path itself: a target directory may serve more than one checkout.
        let path = format!("concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/{RUNTIMES}/{name}\")");
        writeln!(list, "    (\"{name}\", include_str!({path})),")?;
    }
    list.push(']');
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("runtimes.rs"), list)?;
    println!("cargo:rerun-if-changed={RUNTIMES}");
    Ok(())
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            // Left behind by whoever ran a kernel from here.
            if !path.ends_with("__pycache__") {
                collect(&path, files)?;
            }
        } else {
            files.push(path);
        }
    }
    Ok(())
}
