//! The files of the fake worker's runs.

use proto::execution_v1 as wire;

/// The far future, in unix milliseconds.
const LATER: i64 = 4_000_000_000_000;

/// What is at each path.
pub fn content(path: &[u8]) -> Option<Vec<u8>> {
    match path {
        b"plot.png" => Some((0..=255).cycle().take(1000).collect()),
        b"out/no \xff text.html" => Some(b"<script>".to_vec()),
        b".results/1.png" => Some(vec![7; 100_000]),
        _ => None,
    }
}

/// That the worker stores it; until a time that has passed, if `expired`.
pub fn artifact(path: &[u8], expired: bool) -> wire::Artifact {
    let size = content(path).map_or(0, |content| content.len() as u64);
    let until_ms = if expired { 1 } else { LATER };
    wire::Artifact { path: path.to_vec().into(), size, until_ms }
}

/// Tells of the files that the run was to bring, and of those that it changed.
pub fn tell(run: &wire::ExecuteRequest, outcome: &mut wire::Outcome) {
    let expired = run.code.contains("expired");
    if !run.collect.is_empty() {
        let artifacts = [&b"out/no \xff text.html"[..], b"plot.png"];
        let omitted = wire::OmittedFile {
            path: b"huge.bin".to_vec().into(),
            size: 1 << 40,
            reason: "too_large".to_owned(),
        };
        outcome.collected = Some(wire::Collected {
            artifacts: artifacts.map(|path| artifact(path, expired)).to_vec(),
            omitted: vec![omitted],
            truncated: false,
        });
    }
    if run.report_changes {
        let change = |path: &str, change: &str, size| wire::ChangedFile {
            path: path.as_bytes().to_vec().into(),
            change: change.to_owned(),
            size,
        };
        let files = vec![change("new", "created", Some(5)), change("old", "removed", None)];
        outcome.changes = Some(wire::Changes { files, truncated: false });
    }
}
