//! Which module may import which, read from the sources.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Each module, and the modules of this crate that it may name.
fn rules() -> BTreeMap<&'static str, &'static [&'static str]> {
    BTreeMap::from([
        ("http", &[][..]),
        ("leaks", &[]),
        ("launcher", &[]),
        ("options", &[]),
        ("corpus", &[]),
        ("error", &["corpus", "http"]),
        ("judge", &["corpus", "http"]),
        ("canaries", &["judge"]),
        ("service", &["canaries", "error", "http", "launcher", "leaks", "options"]),
        ("bystander", &["canaries", "error", "http", "judge", "service"]),
        ("report", &["bystander", "corpus", "judge", "service"]),
        (
            "runner",
            &[
                "bystander",
                "canaries",
                "corpus",
                "error",
                "http",
                "judge",
                "launcher",
                "leaks",
                "options",
                "report",
                "service",
            ],
        ),
    ])
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// The modules named behind `crate::`, and in the file of a module itself behind `super::`.
fn named(text: &str, top: bool) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    let prefixes: &[&str] = if top { &["crate::", "super::"] } else { &["crate::"] };
    let names = |line: &str| -> Vec<String> {
        let found = prefixes.iter().flat_map(|prefix| line.match_indices(prefix));
        let word = |(at, prefix): (usize, &str)| {
            line[at + prefix.len()..]
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
                .map(String::from)
        };
        found.filter_map(word).filter(|name| !name.is_empty()).collect()
    };
    lines.flat_map(names).collect()
}

#[test]
fn each_module_names_only_those_below_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let rules = rules();
    let mut wrong = Vec::new();
    for path in sources(&root) {
        let inside = path.strip_prefix(&root).expect("below it");
        let module = inside.iter().next().and_then(|part| part.to_str()).expect("UTF-8");
        let module = module.trim_end_matches(".rs");
        if module == "lib" {
            continue;
        }
        let allowed = rules.get(module).unwrap_or_else(|| panic!("no rule for {module}"));
        let top = inside.ends_with("mod.rs") || inside.iter().count() == 1;
        let text = std::fs::read_to_string(&path).expect("readable");
        let production = text.split("#[cfg(test)]").next().unwrap_or_default();
        for name in named(production, top) {
            if rules.contains_key(name.as_str())
                && name != module
                && !allowed.contains(&name.as_str())
            {
                wrong.push(format!("{}: {module} names {name}", inside.display()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
