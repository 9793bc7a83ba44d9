//! Who may import whom, read from the sources.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Each layer, and the layers of this crate that it may name. What is not a layer (`config`,
/// `startup`, `state`, …) puts the layers together and may name any.
fn rules() -> BTreeMap<&'static str, &'static [&'static str]> {
    BTreeMap::from([
        (
            "routes",
            &[
                "contract",
                "extract",
                "services",
                "domain",
                "error",
                "middleware",
                "state",
                "workers",
                "workers",
            ][..],
        ),
        ("middleware", &["connections", "extract", "services", "domain", "error", "telemetry"]),
        ("extract", &["services", "domain", "error", "telemetry"]),
        ("contract", &["domain"]),
        ("services", &["domain", "storage", "workers"]),
        ("storage", &["domain"]),
        ("workers", &["domain"]),
        ("domain", &[]),
    ])
}

/// Crates that only one layer knows.
const HOMES: [(&str, &[&str]); 4] = [
    ("sqlx", &["storage"]),
    ("tonic", &["workers/client"]),
    ("proto", &["workers/client"]),
    ("actix_web", &["routes", "middleware", "extract", "error", "startup.rs", "connections"]),
];

/// What the domain may use beside the standard library.
const OF_DOMAIN: [&str; 7] = ["std", "crate", "super", "self", "bytes", "time", "uuid"];

pub fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

#[test]
fn each_layer_names_only_those_below_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for path in sources(&root) {
        let inside = path.strip_prefix(&root).unwrap();
        let layer = inside.iter().next().unwrap().to_str().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
            let mut named = line.match_indices("crate::").map(|(at, found)| {
                line[at + found.len()..]
                    .split(|c: char| !c.is_alphanumeric() && c != '_')
                    .next()
                    .unwrap()
            });
            if let Some(allowed) = rules().get(layer)
                && let Some(other) =
                    named.find(|name| *name != layer && !name.is_empty() && !allowed.contains(name))
            {
                wrong.push(format!("{}: {layer} names {other}", inside.display()));
            }
            for (library, homes) in HOMES {
                if line.contains(&format!("{library}::"))
                    && !homes.iter().any(|home| inside.starts_with(home))
                {
                    wrong.push(format!("{}: names {library}", inside.display()));
                }
            }
            if layer == "domain"
                && let Some(used) = line.strip_prefix("use ")
                && !OF_DOMAIN.contains(&used.split("::").next().unwrap())
            {
                wrong.push(format!("{}: {line}", inside.display()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn no_file_is_too_long_to_be_one_thing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for path in sources(&root.join("src")).into_iter().chain(sources(&root.join("tests"))) {
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 400, "{} has {lines} lines", path.display());
    }
}
