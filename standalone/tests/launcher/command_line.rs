//! The executable itself, as far as it goes without starting a service.

use std::process::{Command, Output};

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
        (vec!["--port", "http"], vec![], "--port=\"http\""),
        (vec![], vec![("PORT", "http")], "PORT=\"http\""),
    ] {
        let arguments: Vec<&str> = arguments.into_iter().chain(["--data-dir", data]).collect();
        let text = complaint(&crucible(&arguments, &variables));
        assert!(text.contains(expected), "{text}");
    }
    assert!(!parent.path().join("data").exists());
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
