//! The executable itself, as far as it goes without starting a service.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use standalone::data_directory::DataDirectory;
use tempfile::TempDir;

fn crucible(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_crucible"))
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .expect("it starts")
}

fn complaint(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn help_names_every_setting() {
    let output = crucible(&["--help"], &[]);
    let text = String::from_utf8_lossy(&output.stdout);
    for name in [
        "--host",
        "--port",
        "--data-dir",
        "--log-format",
        "--no-provision",
        "SECRET_KEY",
        "INTERNAL_AUTH_TOKEN",
        "EXECUTION_SERVICE_URL",
        "DATABASE_URL",
        "ACCESS_TOKEN_EXPIRE_MINUTES",
        "CORS_ORIGINS",
        "SUPPORTED_LANGUAGES",
        "INITIAL_POOL_SIZE",
        "MAX_POOL_SIZE",
        "DEFAULT_TIMEOUT",
        "MAX_TIMEOUT",
        "ADMIN_USERNAME",
        "ADMIN_PASSWORD",
        "doctor",
        "REQUIRE_CGROUPS",
        "REQUIRE_CPU_QUOTA",
        "REQUIRE_FRESH_PROC",
        "REQUIRE_OWN_UIDS",
    ] {
        assert!(text.contains(name), "{name}");
    }
}

#[test]
fn what_is_unknown_or_malformed_stops_it_before_anything_is_made() {
    let parent = TempDir::new().expect("a directory");
    let data = parent.path().join("data");
    let data = data.to_str().expect("UTF-8");
    for (arguments, variables, expected) in [
        (vec!["--colour"], vec![], "--colour"),
        (vec!["serve"], vec![], "serve"),
        (vec!["--port", "http"], vec![], "--port must be"),
        (vec![], vec![("PORT", "http")], "PORT must be"),
    ] {
        let arguments: Vec<&str> = arguments.into_iter().chain(["--data-dir", data]).collect();
        let text = complaint(&crucible(&arguments, &variables));
        assert!(text.contains(expected), "{text}");
    }
    assert!(!parent.path().join("data").exists());
}

#[test]
fn a_first_start_that_fails_still_tells_the_password_that_it_has_made() {
    let parent = TempDir::new().expect("a directory");
    let data = parent.path().join("data");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let arguments =
        ["--no-provision", "--port", &port, "--data-dir", data.to_str().expect("UTF-8")];
    let path = std::env::var("PATH").expect("a PATH");
    let variables = [("PATH", path.as_str()), ("SUPPORTED_LANGUAGES", "bash")];
    let output = crucible(&arguments, &variables);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("username admin, password "), "{output:?}");
    let text = complaint(&output);
    assert!(text.contains("choose another PORT"), "{text}");
}

#[test]
fn a_data_directory_that_sandboxes_cannot_see_is_named_with_the_remedy() {
    let path = std::env::var("PATH").expect("a PATH");
    let parent = TempDir::new_in("/tmp").expect("a directory");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    // As it is, and by a link from somewhere else.
    let home = std::env::var("HOME").expect("a HOME");
    let links = TempDir::new_in("/var/lib").or_else(|_| TempDir::new_in(home));
    let links = links.expect("a directory");
    let link = links.path().join("data");
    std::os::unix::fs::symlink(parent.path().join("real"), &link).expect("a link");
    std::fs::create_dir(parent.path().join("real")).expect("a directory");
    for data in [parent.path().join("data"), link] {
        let data = data.to_str().expect("UTF-8");
        let variables = [("PATH", path.as_str()), ("SUPPORTED_LANGUAGES", "python")];
        // The taken port ends it before it serves.
        let output = crucible(&["--port", &port, "--data-dir", data], &variables);
        let said = String::from_utf8_lossy(&output.stdout);
        if !said.contains("Python runs without") {
            let missing = complaint(&output).contains("choose another PORT");
            assert!(missing && which("python3", &path).is_none(), "{output:?}");
            eprintln!(
                "skipped: a_data_directory_that_sandboxes_cannot_see_is_named_with_the_remedy \
                 (no python3)"
            );
            return;
        }
        assert!(said.contains("is below /tmp, where every sandbox has a directory of its own"));
        assert!(said.contains("choose another --data-dir"), "{said}");
        assert!(!said.contains("Installing"), "nothing is installed for nobody: {said}");
    }
}

#[test]
fn an_environment_that_sandboxes_cannot_see_is_refused_before_anything_starts() {
    let parent = TempDir::new_in("/tmp").expect("a directory");
    let path = std::env::var("PATH").expect("a PATH");
    if which("python3", &path).is_none() {
        eprintln!(
            "skipped: an_environment_that_sandboxes_cannot_see_is_refused_before_anything_starts \
             (no python3)"
        );
        return;
    }
    let environment = parent.path().join("environment");
    let made = Command::new("python3")
        .args(["-m", "venv", "--without-pip"])
        .arg(&environment)
        .status()
        .expect("python3 starts");
    assert!(made.success());
    let data = parent.path().join("data");
    let arguments = ["--port", "0", "--data-dir", data.to_str().expect("UTF-8")];
    let environment = environment.to_str().expect("UTF-8");
    let executable = format!("{environment}/bin/python3");
    for (name, value) in [("PYTHON_ENVIRONMENT", environment), ("PYTHON_EXECUTABLE", &*executable)]
    {
        let output = crucible(&arguments, &[("PATH", &path), (name, value)]);
        let text = complaint(&output);
        assert!(text.contains("python cannot be run: "), "{text}");
        assert!(text.contains("is below /tmp, where every sandbox"), "{text}");
        assert!(text.contains(name), "{text}");
        assert!(!data.join("crucible.db").exists(), "no service was started");
    }
}

fn which(name: &str, path: &str) -> Option<PathBuf> {
    std::env::split_paths(path).map(|directory| directory.join(name)).find(|file| file.is_file())
}

#[test]
fn doctor_tells_people_and_programs_the_same_and_leaves_nothing() {
    let parent = TempDir::new().expect("a directory");
    let data = parent.path().join("data");
    let data = data.to_str().expect("UTF-8");
    let path = std::env::var("PATH").expect("a PATH");
    let variables = [("PATH", path.as_str()), ("DATA_DIR", data), ("SUPPORTED_LANGUAGES", "bash")];
    let (people, program) =
        (crucible(&["doctor"], &variables), crucible(&["doctor", "--json"], &variables));
    assert!(people.status.success(), "{people:?}");
    assert!(program.status.success(), "{program:?}");
    let table = String::from_utf8(people.stdout).expect("UTF-8");
    let found: Value = serde_json::from_slice(&program.stdout).expect("JSON");
    let level = found["level"].as_str().expect("a level");
    assert!(table.contains(level), "{table}");
    assert!(!table.contains('\u{1b}'), "plain text where there is no terminal");
    for wall in found["walls"].as_array().expect("a list") {
        let (name, state) = (wall["name"].as_str(), wall["state"].as_str());
        let (name, state) = (name.expect("a name"), state.expect("a state"));
        let line = table.lines().find(|line| line.starts_with(&format!("{name} ")));
        assert!(line.is_some_and(|line| line.contains(state)), "{name}: {table}");
    }
    assert!(!parent.path().join("data").exists(), "nothing is made");
}

#[test]
fn doctor_refuses_what_a_start_would_refuse() {
    let path = std::env::var("PATH").expect("a PATH");
    for (name, value) in [("REQUIRE_CGROUPS", "perhaps"), ("REQUIRE_CGROUP", "true"), ("PORT", "x")]
    {
        let variables = [("PATH", path.as_str()), ("DATA_DIR", "/nowhere"), (name, value)];
        let text = complaint(&crucible(&["doctor"], &variables));
        let flag = name.to_lowercase().replace('_', "-");
        assert!(text.contains(name) || text.contains(&flag), "{name}: {text}");
    }
}

#[test]
fn a_data_directory_in_use_is_refused() {
    let parent = TempDir::new().expect("a directory");
    let held = DataDirectory::open(parent.path(), false).expect("free");
    held.describe_holder("pid 4711, http://127.0.0.1:8000").expect("written");

    let path = parent.path().to_str().expect("UTF-8");
    let text = complaint(&crucible(&["--data-dir", path], &[]));

    assert!(text.contains("pid 4711, http://127.0.0.1:8000"), "{text}");
}

#[test]
fn a_service_role_is_not_started_by_hand() {
    let text = complaint(&crucible(&["gateway"], &[]));
    assert!(text.contains("run `crucible` alone"), "{text}");
}
