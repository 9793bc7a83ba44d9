//! Flags before environment before defaults, and no malformed value passes.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use execution_service::language::Language;
use settings::{Given, Refused};
use standalone::provision::Choice;
use standalone::settings::{Settings, WorkerPlace, check_spelling};
use telemetry::LogFormat;

fn read(flags: &Given, variables: &[(&str, &str)]) -> Result<Settings, Refused> {
    let variables: BTreeMap<&str, OsString> =
        variables.iter().map(|&(name, value)| (name, OsString::from(value))).collect();
    Settings::read(flags, |name| variables.get(name).cloned(), false)
}

const HOME: (&str, &str) = ("HOME", "/home/ann");

#[test]
fn nothing_said_means_the_documented_defaults() {
    let settings = read(&Given::default(), &[HOME]).expect("defaults");
    assert_eq!(settings.host.to_string(), "127.0.0.1");
    assert_eq!(settings.port, 8000);
    assert_eq!(settings.data_directory, PathBuf::from("/home/ann/.local/share/crucible"));
    assert_eq!(settings.log_format, LogFormat::Auto);
    assert_eq!(settings.languages, Language::ALL);
    assert_eq!(settings.worker, WorkerPlace::Private);
    assert!(settings.provision);
    assert_eq!(settings.packages, Choice::Standard);
}

#[test]
fn a_flag_wins_over_its_variable() {
    let flags = Given::default()
        .with("host", "0.0.0.0")
        .with("port", "0")
        .with("data_dir", "/flag")
        .with("log_format", "json")
        .with("no_provision", "true")
        .with("python_packages", "minimal");
    let variables =
        [HOME, ("HOST", "::1"), ("PORT", "1"), ("DATA_DIR", "/variable"), ("LOG_FORMAT", "pretty")];

    let settings = read(&flags, &variables).expect("flags");
    assert_eq!(settings.host.to_string(), "0.0.0.0");
    assert_eq!(settings.port, 0);
    assert_eq!(settings.data_directory, PathBuf::from("/flag"));
    assert_eq!(settings.log_format, LogFormat::Json);
    assert!(!settings.provision);
    assert_eq!(settings.packages, Choice::Minimal);

    let settings = read(&Given::default(), &variables).expect("variables");
    assert_eq!(settings.host.to_string(), "::1");
    assert_eq!(settings.port, 1);
    assert_eq!(settings.data_directory, PathBuf::from("/variable"));
    assert_eq!(settings.log_format, LogFormat::Pretty);
}

#[test]
fn the_data_directory_follows_root_and_xdg() {
    let none = |_: &str| None;
    let root = Settings::read(&Given::default(), none, true).expect("root needs no HOME");
    assert_eq!(root.data_directory, PathBuf::from("/var/lib/crucible"));

    let xdg = read(&Given::default(), &[HOME, ("XDG_DATA_HOME", "/data")]).expect("xdg");
    assert_eq!(xdg.data_directory, PathBuf::from("/data/crucible"));

    let homeless = read(&Given::default(), &[]).expect_err("there is nowhere to go");
    assert!(homeless.0[0].starts_with("DATA_DIR "));
}

#[test]
fn a_malformed_value_is_an_error_that_names_it() {
    for (name, value, remedy) in [
        ("HOST", "localhost:80", "an IP address"),
        ("HOST", "", "an IP address"),
        ("PORT", "eighty", "0 (any free port) to 65535"),
        ("PORT", "65536", "0 (any free port) to 65535"),
        ("PORT", "-1", "0 (any free port) to 65535"),
        ("LOG_FORMAT", "xml", "auto, pretty or json"),
        ("SUPPORTED_LANGUAGES", "python,ruby", "a comma-separated choice of python, "),
        ("SUPPORTED_LANGUAGES", "", "a comma-separated choice of python, "),
        ("EXECUTION_SERVICE_URL", "127.0.0.1:50051", "http://host:50051"),
        ("EXECUTION_SERVICE_URL", "http://127.0.0.1:0", "other than 0"),
        ("EXECUTION_SERVICE_URL", "unix:worker.sock", "absolute"),
    ] {
        let error = read(&Given::default(), &[HOME, (name, value)]).expect_err(name);
        let text = &error.0[0];
        assert!(text.starts_with(&format!("{name} ")) && text.contains(remedy), "{text}");
    }
    let flags = Given::default().with("port", "http");
    let error = read(&flags, &[HOME]).expect_err("a flag");
    assert!(error.0[0].starts_with("--port "));
}

#[test]
fn a_worker_on_this_machine_is_started_and_one_elsewhere_is_not() {
    for (url, place) in [
        ("http://127.0.0.1:50051", WorkerPlace::Local("127.0.0.1:50051".into())),
        ("http://localhost:50051/", WorkerPlace::Local("127.0.0.1:50051".into())),
        ("http://[::1]:50051", WorkerPlace::Local("[::1]:50051".into())),
        ("unix:/run/w.sock", WorkerPlace::Local("unix:/run/w.sock".into())),
        ("http://worker:50051", WorkerPlace::Elsewhere("http://worker:50051".into())),
        ("https://127.0.0.1:50051", WorkerPlace::Elsewhere("https://127.0.0.1:50051".into())),
        ("https://worker:50051", WorkerPlace::Elsewhere("https://worker:50051".into())),
        ("http://10.0.0.7:50051", WorkerPlace::Elsewhere("http://10.0.0.7:50051".into())),
    ] {
        let settings = read(&Given::default(), &[HOME, ("EXECUTION_SERVICE_URL", url)]).expect(url);
        assert_eq!(settings.worker, place, "{url}");
    }
}

#[test]
fn a_misspelt_variable_is_an_error_that_names_the_right_one() {
    let check = |name: &str| check_spelling([OsString::from(name)].into_iter());
    // The launcher's own, the worker's, the gateway's.
    for (name, meant) in [
        ("PYTHON_EXECUTABEL", "PYTHON_EXECUTABLE"),
        ("MAX_POOL_SIZES", "MAX_POOL_SIZE"),
        ("PYTHON_ENVIROMENT", "PYTHON_ENVIRONMENT"),
        ("KEEPALIVE_TIMEOUT", "KEEP_ALIVE_TIMEOUT"),
    ] {
        let error = check(name).expect_err(name);
        assert!(error.to_string().contains(&format!("did you mean {meant}?")), "{error}");
    }
    for fine in ["MAX_POOL_SIZE", "PATH", "PORTS", "CARGO_TARGET_DIR"] {
        check(fine).expect(fine);
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let Refused(problems) = read(&Given::default(), &[HOME, ("PORT", "x"), ("LOG_FORMAT", "xml")])
        .expect_err("two problems");
    assert_eq!(problems.len(), 2, "{problems:?}");
}
