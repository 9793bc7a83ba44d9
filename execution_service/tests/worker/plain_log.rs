//! Whatever programs and callers say, the log holds it without effect: one record is one line, and
//! nothing in it is obeyed by a terminal.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use proto::execution_v1::{ExecuteRequest, File};

use crate::support::{OWNER, Worker, bash, c, in_session, new_session, of, python};

/// Clears the screen, sets the title, and forges a record, by the controls of ASCII and by those of
/// ISO 6429's second set.
const HOSTILE: &str =
    "\x1b[2J\x1b]0;owned\x07\u{9b}31m\r\n2026-01-01T00:00:00Z  INFO forged\u{202e}";

/// The same for bash, Python and C.
const ESCAPED: &str = r"\033[2J\033]0;owned\007\302\23331m\r\n2026-01-01T00:00:00Z  INFO forged";

/// Programs that say it wherever they find somebody to tell.
fn programs() -> Vec<ExecuteRequest> {
    let everywhere = format!(
        "t=$'{ESCAPED}'; printf '%s' \"$t\"; printf '%s' \"$t\" >&2; touch \"$t\"; \
         for fd in /proc/self/fd/*; do printf '%s' \"$t\" >\"/dev/fd/${{fd##*/}}\"; done 2>/dev/null; \
         printf '%s' \"$t\" >/dev/tty; \"$t\"; exit 3"
    );
    let raised = format!(
        "import os\nt = '{ESCAPED}'\n\
         for fd in range(3, 64):\n  try: os.write(fd, t.encode() + b'\\n')\n  except OSError: pass\n\
         type(t, (Exception,), {{}})\nraise type('E', (Exception,), {{'__name__': t}})(t)"
    );
    let uncompiled = format!("#error {HOSTILE}\nint main(void) {{ return \"{ESCAPED}\" + x; }}");
    let file = File { path: format!("a{HOSTILE}"), content: Vec::new().into() };
    let named = ExecuteRequest { files: vec![file], ..bash("ls") };
    let directory = File { path: String::from("a\x1b[31m/../../b"), content: Vec::new().into() };
    let argued = ExecuteRequest { args: vec![String::from(HOSTILE)], ..bash("\"$1\"") };
    let environed = ExecuteRequest {
        env: [(String::from(HOSTILE), String::from(HOSTILE))].into(),
        ..bash("true")
    };
    let flagged = ExecuteRequest { compiler_flags: vec![String::from(HOSTILE)], ..c("") };
    vec![
        bash(&everywhere),
        python(&raised),
        c(&uncompiled),
        named,
        ExecuteRequest { files: vec![directory], ..bash("ls") },
        argued,
        environed,
        flagged,
        of(HOSTILE, bash("true")),
        ExecuteRequest { execution_id: String::from(HOSTILE), ..bash("true") },
        ExecuteRequest { session_id: String::from(HOSTILE), ..bash("true") },
    ]
}

/// A `PATH` that begins with a directory of a hostile name, and in it something that is no bash.
fn pretender(place: &Path) -> String {
    // A colon would end it.
    let directory = place.join(HOSTILE.replace(':', "."));
    let program = directory.join("bash");
    fs::create_dir(&directory).unwrap();
    fs::write(&program, format!("#!/bin/sh\nprintf '{ESCAPED}' >&2; exit 1\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:{}", directory.display(), std::env::var("PATH").unwrap())
}

#[tokio::test]
async fn nothing_that_is_said_has_an_effect_in_the_log() {
    for format in ["json", "pretty"] {
        let directory = tempfile::tempdir().unwrap();
        let path = pretender(directory.path());
        let settings = [("LOG_FORMAT", format), ("LOG_LEVEL", "trace"), ("PATH", &*path)];
        let Some(mut worker) = Worker::start("python,bash,c", &settings).await else {
            return;
        };
        let caller = worker.caller().await;
        for program in programs() {
            // How it ends, or why it is refused, is not the question here.
            if let Ok(running) = caller.execute(program).await {
                let _ = running.try_finish().await;
            }
        }
        let session = caller.create_session(new_session("python")).await.unwrap();
        caller.run(in_session(&session, &format!("raise Exception('{ESCAPED}')"))).await;
        assert!(caller.end_session(HOSTILE, OWNER).await.is_err());
        assert!(caller.cancel(HOSTILE, HOSTILE).await.is_err());
        worker.terminate();
        worker.ended().await;

        let log = worker.log();
        assert!(log.contains("passed over") && log.contains("forged"), "{log}");
        let effect = |c: &char| c.is_control() && *c != '\n' || *c == '\u{202e}';
        let wrong = log.lines().find(|line| line.chars().any(|c| effect(&c)));
        assert_eq!(wrong, None);
        let forged = log.lines().find(|line| line.starts_with("2026-01-01T"));
        assert_eq!(forged, None);
        for line in log.lines().filter(|_| format == "json") {
            assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
        }
    }
}
