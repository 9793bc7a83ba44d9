//! A large file into a session and out of it, against `cp` from one directory in memory to another.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use hyper::Method;
use hyper::body::Bytes;
use serde_json::json;

use super::{Name, Stage};
use crate::answer::{Phases, shortened};
use crate::bare;
use crate::caller::{Caller, Response};
use crate::comparison::{Bound, Claim, Comparison};
use crate::figures::Figures;

/// 100 MB.
const BYTES: usize = 100_000_000;
/// For the file and what replaces it.
const DISK: u64 = 256 << 20;
const SESSIONS: &str = "/v1/code_interpreter/sessions";

/// Plays both sides in turns.
pub fn compare(stage: &Stage<'_>, name: Name) -> anyhow::Result<Comparison> {
    let mut caller = stage.service.caller()?;
    // The file is held in memory, and counted as such.
    let limits = json!({"disk_bytes": DISK, "memory_bytes": 2 * DISK});
    let made = json!({"language": "bash", "ttl": 3600, "limits": limits});
    let made = caller.must(Method::POST, SESSIONS, Some(&made), 201)?;
    let session = made["session_id"].as_str().context("a session")?;
    let file = format!("{SESSIONS}/{session}/files/data.bin");
    // No two pages are alike.
    let content: Vec<u8> = (0..BYTES / 4).flat_map(|word| (word as u32).to_le_bytes()).collect();
    let content = Bytes::from(content);
    put(&mut caller, &file, &content)?;

    let memory = tempfile::tempdir_in("/dev/shm")?;
    let (from, to) = (memory.path().join("from"), memory.path().join("to"));
    fs::write(&from, &content)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..stage.effort.pairs.div_ceil(10) {
        ours.push(match name {
            Name::Upload => put(&mut caller, &file, &content)?,
            _ => get(&mut caller, &file, &content)?,
        });
        let _ = fs::remove_file(&to);
        let mut copy = bare::command("/bin/cp".as_ref(), [&from, &to]);
        theirs.push(bare::time(&mut copy, "")?);
    }
    caller.must(Method::DELETE, &format!("{SESSIONS}/{session}"), None, 200)?;
    let (crucible, bare) = (Figures::in_a_row(ours), Figures::in_a_row(theirs));
    let speed = |figures: &Figures| BYTES as f64 / 1e3 / figures.p50_ms;
    let claims = vec![
        Claim::p50(&crucible, &bare, 10.0),
        Claim::new("speed", " MB/s", speed(&crucible), Bound::AtLeast(200.0)),
    ];
    Ok(Comparison { name: name.text(), crucible, bare, claims, phases: Phases::default() })
}

fn put(caller: &mut Caller, path: &str, content: &Bytes) -> anyhow::Result<Duration> {
    let kind = Some("application/octet-stream");
    let Response { took, status, body } = caller.send(Method::PUT, path, kind, content.clone())?;
    ensure!(matches!(status, 200 | 201 | 204), "{path}: status {status}: {}", shortened(&body));
    Ok(took)
}

fn get(caller: &mut Caller, path: &str, content: &Bytes) -> anyhow::Result<Duration> {
    let started = Instant::now();
    let Response { took: _, status, body } = caller.call(Method::GET, path, None)?;
    let took = started.elapsed();
    ensure!(status == 200 && body == content, "{path}: status {status}, {} bytes", body.len());
    Ok(took)
}
