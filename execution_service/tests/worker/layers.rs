//! Who may import whom, read from the sources.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Each layer, and what of this crate it may name. What is not a layer (`config`, `boot`, `startup`, `lib`)
/// puts the layers together and may name any.
fn rules() -> BTreeMap<&'static str, &'static [&'static str]> {
    BTreeMap::from([
        (
            "grpc",
            &[
                "worker",
                "session",
                "owners",
                "execution",
                "files",
                "language",
                "broker",
                "network",
                "sandbox",
                "config",
            ][..],
        ),
        (
            "worker",
            &[
                "session",
                "owners",
                "pool",
                "execution",
                "files",
                "language",
                "broker",
                "network",
                "sandbox",
                "tasks",
            ],
        ),
        ("session", &["owners", "execution", "files", "language", "broker", "network", "sandbox"]),
        ("owners", &["execution", "sandbox"]),
        ("pool", &["execution", "language", "sandbox", "tasks"]),
        ("execution", &["language", "network", "sandbox"]),
        ("broker", &["network", "sandbox"]),
        ("network", &[]),
        ("files", &["sandbox"]),
        ("language", &["sandbox"]),
        ("sandbox", &["runtimes"]),
        ("runtimes", &[]),
        ("tasks.rs", &[]),
    ])
}

/// Words that only some places may use: by folder, or by file.
const HOMES: [(&str, &[&str]); 8] = [
    (
        "unsafe ",
        &["sandbox/linux/syscall", "sandbox/linux/wire/channel.rs", "sandbox/linux/probe/calls.rs"],
    ),
    ("libc::", &["sandbox/linux"]),
    ("nix::", &["sandbox/linux"]),
    ("tonic::", &["grpc", "startup"]),
    ("proto::", &["grpc", "startup"]),
    ("anyhow::", &["boot.rs", "startup", "doctor"]),
    ("std::env", &["config", "main.rs", "startup", "language/discovery", "language/toolchain"]),
    ("clap::", &["config"]),
];

/// What a language, which is pure data but for finding its interpreter, has no use for: questions go
/// through `language/toolchain`.
const NOT_IN_LANGUAGE: [&str; 6] =
    ["tokio", "std::fs", "std::process", "std::net", "sandbox::linux", "sandbox::backend"];

/// Each folder of `sandbox/linux`, and which of the others it may name. The root puts them together.
fn rules_of_linux() -> BTreeMap<&'static str, &'static [&'static str]> {
    BTreeMap::from([
        (
            "boot",
            &[
                "boot_error.rs",
                "cgroup",
                "confine",
                "host",
                "seccomp",
                "self_test",
                "spawner",
                "syscall",
                "wire",
            ][..],
        ),
        ("boot_error.rs", &[]),
        ("cgroup", &["host"]),
        ("client", &["cgroup", "host", "syscall", "wire"]),
        ("confine", &["cgroup", "syscall", "wire"]),
        ("host", &["syscall"]),
        ("init", &["confine", "host", "probe", "seccomp", "syscall", "wire"]),
        ("probe", &["confine", "syscall", "wire"]),
        ("seccomp", &[]),
        ("self_test", &["boot_error.rs", "client", "probe", "syscall"]),
        ("spawner", &["cgroup", "confine", "host", "init", "seccomp", "syscall", "wire"]),
        ("syscall", &[]),
        ("wire", &["host"]),
    ])
}

/// Who may know that sandboxes are Linux's: whoever starts the worker, or examines the host; and the broker, which
/// is told what to do as the spawner is.
const KNOW_LINUX: [&str; 5] = ["sandbox/linux", "boot.rs", "broker", "startup", "doctor"];

/// The lines of code of each Rust file below `src`, with the file's path there. Tests beside the code
/// may do as they like.
fn sources() -> Vec<(String, Vec<String>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let code = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = text.lines().take_while(|line| *line != "#[cfg(test)]");
        let lines = lines.map(str::trim).filter(|line| !line.starts_with("//"));
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
        (String::from(name), lines.map(String::from).collect())
    };
    let files = files(&root).into_iter();
    files.filter(|path| !path.ends_with("tests.rs")).map(code).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|kind| kind == "rs"))
        .collect()
}

fn layers_named(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("crate::").flat_map(|(at, found)| {
        let rest = &line[at + found.len()..];
        let list = rest.strip_prefix('{').and_then(|rest| rest.split('}').next());
        let paths = list.unwrap_or(rest).split(if list.is_some() { ',' } else { '\0' });
        paths
            .filter_map(|path| path.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next())
    })
}

/// Whether `word` stands in `line` on its own, and not as the end of a longer one.
fn says(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && !"_:".contains(c))
    })
}

#[test]
fn each_layer_names_only_those_below_it() {
    let mut wrong = Vec::new();
    for (file, lines) in sources() {
        let layer = file.split('/').next().unwrap();
        let Some(allowed) = rules().get(layer).copied() else {
            continue;
        };
        for line in &lines {
            let others =
                layers_named(line).filter(|name| *name != layer && !allowed.contains(name));
            wrong.extend(others.map(|other| format!("{file}: names {other}")));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn each_folder_of_the_linux_sandbox_names_only_those_below_it() {
    let (mut wrong, rules) = (Vec::new(), rules_of_linux());
    for (file, lines) in sources() {
        let Some(inside) = file.strip_prefix("sandbox/linux/") else {
            continue;
        };
        let folder = inside.split('/').next().unwrap();
        let Some(allowed) = rules.get(folder) else {
            assert_eq!(folder, "mod.rs", "a folder without a rule: {file}");
            continue;
        };
        for line in lines {
            for (at, found) in line.match_indices("sandbox::linux::") {
                let rest = &line[at + found.len()..];
                let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
                let is = |known: &&str| known.trim_end_matches(".rs") == name;
                if !is(&folder) && !allowed.iter().any(is) {
                    wrong.push(format!("{file}: names {name}"));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn nobody_but_who_starts_the_worker_knows_that_sandboxes_are_of_linux() {
    let mut wrong = Vec::new();
    for (file, lines) in sources() {
        if !KNOW_LINUX.iter().any(|knows| file.starts_with(knows)) {
            let named = lines.iter().filter(|line| line.contains("sandbox::linux"));
            wrong.extend(named.map(|line| format!("{file}: {line}")));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn what_has_a_home_is_used_there_only() {
    let mut wrong = Vec::new();
    for (file, lines) in sources() {
        for (line, (word, homes)) in lines.iter().flat_map(|line| HOMES.map(|home| (line, home))) {
            if says(line, word) && !homes.iter().any(|home| file.starts_with(home)) {
                wrong.push(format!("{file}: {line}"));
            }
        }
        let finding = ["language/discovery/", "language/toolchain/"];
        let language =
            file.starts_with("language/") && !finding.iter().any(|folder| file.starts_with(folder));
        let foreign =
            lines.iter().filter(|line| NOT_IN_LANGUAGE.iter().any(|word| line.contains(word)));
        wrong.extend(foreign.filter(|_| language).map(|line| format!("{file}: {line}")));
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn no_file_is_too_long_to_be_one_thing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let long = ["src", "tests"].map(|folder| files(&root.join(folder)));
    let long = long.into_iter().flatten().filter_map(|path| {
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        (lines > 400).then(|| format!("{}: {lines} lines", path.display()))
    });
    assert_eq!(long.collect::<Vec<_>>(), Vec::<String>::new());
}
