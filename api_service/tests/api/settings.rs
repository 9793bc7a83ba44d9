//! Settings: a mistake is an error that names it.

use crate::support::settings;

fn problem(name: &str, value: &str) -> String {
    settings(&[(name, value)]).expect_err(&format!("{name}={value}")).to_string()
}

#[test]
fn the_defaults_are_good() {
    let settings = settings(&[]).unwrap();
    assert_eq!(settings.rules.default_timeout.as_secs(), 30);
    assert_eq!(settings.http.max_body_bytes, 16 << 20);
}

#[test]
fn every_malformed_value_is_named() {
    let cases = [
        ("HOST", "here"),
        ("PORT", "70000"),
        ("PORT", ""),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "changeme-changeme-changeme-changeme"),
        ("SECRET_KEY", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        ("INTERNAL_AUTH_TOKEN", "your-secret-token-0123456789-abcdef"),
        ("EXECUTION_SERVICE_URL", "127.0.0.1:50051"),
        ("EXECUTION_SERVICE_URL", "https://worker"),
        ("DATABASE_URL", "mysql://x"),
        ("DATABASE_URL", "sqlite"),
        ("DATABASE_URL", "sqlite::memory:"),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "0"),
        ("REFRESH_TOKEN_EXPIRE_DAYS", "-1"),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "https://a.example/path"),
        ("SUPPORTED_LANGUAGES", "python,Cobol"),
        ("SUPPORTED_LANGUAGES", ""),
        ("DEFAULT_TIMEOUT", "0"),
        ("DEFAULT_TIMEOUT", "301"),
        ("MAX_TIMEOUT", "a while"),
        ("MAX_BODY_BYTES", "1"),
        ("ADMIN_USERNAME", "a b"),
        ("ADMIN_PASSWORD", "short"),
        ("LOG_FORMAT", "jsno"),
        ("LOG_LEVEL", "verbose"),
        ("METRICS_ADDRESS", "9464"),
        ("EXECUTION_RETENTION_DAYS", "x"),
        ("EXECUTION_RETENTION_COUNT", "0"),
    ];
    for (name, value) in cases {
        let problem = problem(name, value);
        assert!(problem.contains(name), "{name}={value}: {problem}");
        assert!(value.len() < 12 || !problem.contains(value), "the value is repeated: {problem}");
    }
}

#[test]
fn all_problems_are_told_at_once_and_no_secret_is_repeated() {
    let values = [("PORT", "x"), ("SECRET_KEY", "too-short-secret"), ("LOG_LEVEL", "x")];
    let problem = settings(&values).unwrap_err().to_string();
    for name in ["PORT", "SECRET_KEY", "LOG_LEVEL"] {
        assert!(problem.contains(name), "{problem}");
    }
    assert!(!problem.contains("too-short-secret"), "{problem}");
    let debug = format!("{:?}", settings(&[]).unwrap());
    assert!(
        !debug.contains(crate::support::SECRET_KEY) && !debug.contains("nobody-logs-this"),
        "{debug}"
    );
}

#[test]
fn the_two_secrets_must_differ() {
    assert!(problem("INTERNAL_AUTH_TOKEN", crate::support::SECRET_KEY).contains("must differ"));
}
