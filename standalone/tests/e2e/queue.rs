//! More runs than there is room for, over HTTP.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::crucible::Crucible;

#[tokio::test]
async fn full_queues_are_429_and_503_with_a_position_and_a_time() {
    for (variable, status, code) in [
        ("MAX_QUEUED_RUNS_PER_OWNER", 429, "too_many_runs_waiting"),
        ("MAX_QUEUED_RUNS", 503, "worker_full"),
    ] {
        let data = TempDir::new().expect("a directory");
        let settings = [("MAX_CONCURRENT_RUNS", "1"), (variable, "1")];
        let crucible = Crucible::start_in(data.path(), &settings);
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let slow = || {
            let request = client.post(format!("{}/v1/code_interpreter/run", crucible.url()));
            let body = json!({"language": "bash", "code": "sleep 600", "timeout": 300});
            request.bearer_auth(crucible.token()).json(&body).send()
        };

        // One has the slot and one waits. Whichever of the three comes last is answered first.
        let refused = tokio::select! {
            answer = slow() => answer,
            answer = slow() => answer,
            answer = slow() => answer,
        }
        .expect("an answer");

        assert_eq!(refused.status().as_u16(), status);
        let after = refused.headers()["retry-after"].to_str().expect("text");
        let seconds: u64 = after.parse().expect("a number");
        assert!((1..=60).contains(&seconds), "{seconds}");
        let problem: Value = refused.json().await.expect("a problem");
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["queue"], json!({"position": 2, "length": 1}), "{problem}");
    }
}
