//! Which part of the launcher may name which, read from the sources.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Each part, and the parts that it may name. `main` puts them together.
fn rules() -> BTreeMap<&'static str, &'static [&'static str]> {
    BTreeMap::from([
        ("secret", &[][..]),
        ("data_directory", &[]),
        ("settings", &["provision"]),
        ("provision", &[]),
        ("cli", &["provision", "settings"]),
        ("launch", &["data_directory", "provision", "secret", "settings"]),
        ("doctor", &["cli", "launch", "provision", "settings"]),
    ])
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

#[test]
fn each_part_names_only_those_below_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let rules = rules();
    let mut wrong = Vec::new();
    for path in
        sources(&root).into_iter().filter(|path| path.extension().is_some_and(|e| e == "rs"))
    {
        let inside = path.strip_prefix(&root).expect("below it");
        let part = inside.iter().next().and_then(|part| part.to_str()).expect("UTF-8");
        let part = part.trim_end_matches(".rs");
        if ["lib", "main"].contains(&part) {
            continue;
        }
        let allowed = rules.get(part).unwrap_or_else(|| panic!("no rule for {part}"));
        let text = std::fs::read_to_string(&path).expect("readable");
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
            for (at, found) in line.match_indices("crate::") {
                let rest = &line[at + found.len()..];
                let other = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next();
                let other = other.unwrap_or_default();
                if other != part && !allowed.contains(&other) {
                    wrong.push(format!("{}: {part} names {other:?}", inside.display()));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
