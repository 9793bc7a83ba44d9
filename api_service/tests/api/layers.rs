//! Who may import whom, read from the sources.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Each layer, and the layers of this crate that it may name. What is not a layer (`config`,
/// `startup`, `state`, …) puts the layers together and may name any. The layers have an order, and
/// each names only earlier ones: there is no circle.
const LAYERS: [(&str, &[&str]); 14] = [
    ("domain", &[]),
    ("workers", &["domain"]),
    ("storage", &["domain"]),
    ("services", &["domain", "storage", "workers"]),
    ("http/connections", &["domain"]),
    ("http/failure", &["domain", "services", "telemetry"]),
    ("http/memory_budget", &["domain"]),
    ("http/extract", &["domain", "services", "telemetry", "http/failure", "http/memory_budget"]),
    (
        "http/middleware",
        &["domain", "services", "telemetry", "http/connections", "http/failure", "http/extract"],
    ),
    ("http/metrics", &["domain", "workers"]),
    ("http/stream", &["domain", "services", "http/failure", "http/middleware"]),
    (
        "http/rest",
        &[
            "domain",
            "services",
            "state",
            "http/failure",
            "http/memory_budget",
            "http/extract",
            "http/middleware",
            "http/stream",
        ],
    ),
    (
        "http/server.rs",
        &[
            "config",
            "http/",
            "http/connections",
            "http/extract",
            "http/memory_budget",
            "http/metrics",
            "http/middleware",
            "http/rest",
            "metrics",
            "services",
            "state",
            "workers",
        ],
    ),
    ("http/mod.rs", &[]),
];

/// Crates that only one layer knows.
const HOMES: [(&str, &[&str]); 5] = [
    ("sqlx", &["storage"]),
    ("tonic", &["workers/client"]),
    ("proto", &["workers/client"]),
    ("actix_ws", &["http/rest/websocket", "http/rest/processes", "http/stream"]),
    (
        "actix_web",
        &[
            "http/connections",
            "http/extract",
            "http/failure",
            "http/metrics",
            "http/middleware",
            "http/rest",
            "http/server.rs",
            "http/stream",
            "startup.rs",
        ],
    ),
];

/// What the domain may use beside the standard library; its tests use `proptest`.
const OF_DOMAIN: [&str; 8] = ["std", "crate", "super", "self", "bytes", "time", "uuid", "proptest"];

pub fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// The layer of a path that is given in its parts: a folder of the crate, and in `http` one of those.
fn layer<'a>(mut parts: impl Iterator<Item = &'a str>) -> String {
    match parts.next().unwrap_or_default() {
        "http" => format!("http/{}", parts.next().unwrap_or_default()),
        other => other.to_owned(),
    }
}

#[test]
fn each_layer_names_only_those_below_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let rules = BTreeMap::from(LAYERS);
    let mut wrong = Vec::new();
    for path in sources(&root) {
        let inside = path.strip_prefix(&root).unwrap();
        let own = layer(inside.iter().map(|part| part.to_str().unwrap()));
        let text = std::fs::read_to_string(&path).unwrap();
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
            let mut named = line.match_indices("crate::").map(|(at, found)| {
                let path = &line[at + found.len()..];
                let end = path.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
                layer(path[..end.unwrap_or(path.len())].split("::"))
            });
            if let Some(allowed) = rules.get(&*own)
                && let Some(other) = named.find(|name| {
                    *name != own && !name.is_empty() && !allowed.contains(&name.as_str())
                })
            {
                wrong.push(format!("{}: {own} names {other}", inside.display()));
            }
            for (library, homes) in HOMES {
                let at_home = homes.iter().any(|home| inside.starts_with(home));
                if line.contains(&format!("{library}::")) && !at_home {
                    wrong.push(format!("{}: names {library}", inside.display()));
                }
            }
            if own == "domain"
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
fn the_layers_have_an_order_and_every_folder_of_http_is_one() {
    for (number, (name, allowed)) in LAYERS.iter().enumerate() {
        for other in *allowed {
            let place = LAYERS.iter().position(|(layer, _)| layer == other);
            assert!(place.is_none_or(|place| place < number), "{name} names {other}");
        }
    }
    let http = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http");
    for entry in std::fs::read_dir(http).unwrap() {
        let name = format!("http/{}", entry.unwrap().file_name().to_str().unwrap());
        assert!(LAYERS.iter().any(|(layer, _)| *layer == name), "{name} is no layer");
    }
}

#[test]
fn no_file_is_too_long_to_be_one_thing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for path in sources(&root.join("src")).into_iter().chain(sources(&root.join("tests"))) {
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 400, "{} has {lines} lines", path.display());
    }
}
