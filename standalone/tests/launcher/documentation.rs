//! The documents say of each variable what the code does.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use settings::Variable;

/// Each program, what it is called in `.env.example`, and its variables.
fn programs() -> [(&'static str, &'static str, Vec<Variable>); 3] {
    [
        ("The launcher (`crucible`)", "launcher", standalone::settings::variables()),
        ("The gateway (`api_service`)", "gateway", api_service::config::variables()),
        ("The worker (`execution_service`)", "worker", execution_service::config::variables()),
    ]
}

fn root(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

const INTRODUCTION: &str = "\
# Configuration

Made from the code; do not edit. `UPDATE_DOCUMENTS=1 cargo test -p standalone --test launcher documentation`
makes it anew.

Everything is an environment variable, and all but the secrets are flags as well. A flag wins over its variable,
a variable over the default.
An empty variable counts as one that is not set where there is no default, and is an error where there is one.
A value that cannot be used, and a name that is almost one of these, keeps a program from starting: it tells all
of its own at once and ends with status 1.

The launcher hands the variables of gateway and worker on to them. It makes `SECRET_KEY` and
`INTERNAL_AUTH_TOKEN` on its first start.
";

/// The document, from the code alone.
fn document() -> String {
    let mut text = String::from(INTRODUCTION);
    for (title, _, variables) in programs() {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n## {title}\n\n| variable | default | meaning |\n|---|---|---|\n");
        for Variable { name, default, required, meaning, .. } in variables {
            let default = match default {
                _ if required => String::from("required"),
                Some(default) => format!("`{default}`"),
                None => String::from("not set"),
            };
            let meaning = meaning.replace('|', "\\|");
            let _ = writeln!(text, "| `{name}` | {default} | {meaning} |");
        }
    }
    text
}

#[test]
fn the_table_of_variables_is_that_of_the_code() {
    let path = root("docs/configuration.md");
    let document = document();
    if std::env::var_os("UPDATE_DOCUMENTS").is_some() {
        std::fs::write(&path, &document).expect("written");
    }
    let there = std::fs::read_to_string(&path).expect("docs/configuration.md");
    assert!(
        there == document,
        "docs/configuration.md is not what the code says; see its beginning"
    );
}

#[test]
fn the_example_explains_each_variable_with_its_default_and_nothing_else() {
    let example = std::fs::read_to_string(root(".env.example")).expect(".env.example");
    let mut wrong = Vec::new();
    let mut known: Vec<String> = Vec::new();
    for Variable { name, default, .. } in programs().into_iter().flat_map(|(_, _, all)| all) {
        let line = example.lines().find_map(|line| line.strip_prefix(&format!("#{name}=")));
        match (line, &default) {
            (None, _) if name == "NO_COLOR" => {}
            (None, _) => wrong.push(format!("{name} is not there")),
            // An example of a place is worth more than the file that the gateway alone would take.
            (Some(_), Some(_)) if name == "DATABASE_URL" => {}
            (Some(value), Some(default)) if value != default => {
                wrong.push(format!("{name}={value}, but the default is {default}"));
            }
            (Some(_), _) => {}
        }
        known.push(name);
    }
    let names = example.lines().filter_map(|line| line.strip_prefix('#')?.split_once('='));
    let is_name = |name: &str| {
        !name.is_empty() && !name.contains(|c: char| c != '_' && !c.is_ascii_uppercase())
    };
    let unknown = names.map(|(name, _)| name).filter(|name| is_name(name));
    // Of `doctor --attack`, and no setting.
    let unknown = unknown.filter(|name| !name.starts_with("CRUCIBLE_"));
    wrong.extend(unknown.filter(|name| !known.iter().any(|known| known == name)).map(String::from));
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn what_several_programs_read_has_one_default() {
    let mut defaults: BTreeMap<String, String> = BTreeMap::new();
    for (_, program, variables) in programs() {
        for Variable { name, default, .. } in variables {
            let Some(default) = default else { continue };
            let other = defaults.entry(name.clone()).or_insert_with(|| default.clone());
            assert_eq!(*other, default, "{name} of the {program}");
        }
    }
}
