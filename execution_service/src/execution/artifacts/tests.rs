use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::execution::event::RichResult;
use crate::execution::outputs::{Bounds, Kept, OutputDirectory, Outputs};
use crate::sandbox::backend::{Sandbox, SandboxBackend};
use crate::sandbox::fake::{self, FakeBackend};
use crate::sandbox::files::{FileMode, Root};
use crate::sandbox::spec::{Exit, SandboxSpec};
use crate::sandbox::workspace::WorkspacePath;

const OWNER: &str = "ann";
const RUN: &str = "run";

/// A store of so many bytes, of which one owner has half.
fn store(total: u64) -> (TempDir, Arc<Outputs>) {
    let directory = tempfile::tempdir().expect("a directory");
    let place = OutputDirectory::prepare(&directory.path().join("outputs"), None).expect("ours");
    let bounds = Bounds {
        stream: u64::MAX,
        total,
        retention: Duration::from_secs(60),
        known_to_caller: 1000,
    };
    (directory, Outputs::open_in(place, bounds).expect("a store"))
}

async fn sandbox(files: &[(&str, usize)]) -> Box<dyn Sandbox> {
    let backend = FakeBackend::new(|_| async { Exit::Code(0) });
    let sandbox = backend.create(&SandboxSpec::closed(fake::LIMITS)).await.expect("a sandbox");
    for (path, size) in files {
        let path = WorkspacePath::parse(path).expect("a path");
        let content = vec![b'x'; *size];
        let written = sandbox.write_file(Root::Workspace, &path, &content, FileMode::Regular);
        written.await.expect("room");
    }
    sandbox
}

fn patterns(patterns: &[&str]) -> Patterns {
    let patterns: Vec<String> = patterns.iter().map(|text| String::from(*text)).collect();
    Patterns::parse(&patterns).expect("patterns")
}

fn path(text: &str) -> FilePath {
    FilePath::parse(Vec::from(text)).expect("a path")
}

fn names(collected: &Collected) -> Vec<String> {
    collected.artifacts.iter().map(|artifact| artifact.path.to_string()).collect()
}

fn reasons(collected: &Collected) -> Vec<(String, Reason)> {
    collected.omitted.iter().map(|file| (file.path.to_string(), file.reason)).collect()
}

async fn content(store: &Arc<Outputs>, path: FilePath) -> Option<Vec<u8>> {
    let reading = store.open(RUN, OWNER, Kept::Artifact(path)).await.expect("a disk")?;
    Some(reading.piece(0, u64::MAX).await.expect("a disk"))
}

#[tokio::test]
async fn what_matches_is_stored_whole_for_its_owner() {
    let (_directory, store) = store(1 << 30);
    let files = [("a.png", 200_000), ("empty.png", 0), ("b.txt", 3), ("out/c.png", 1)];
    let sandbox = sandbox(&files).await;
    let wanted = patterns(&["*.png", "out/**"]);
    let none = BTreeSet::new();
    let collected = collect(sandbox.as_ref(), &wanted, Some(&store), (RUN, OWNER), &none).await;
    assert_eq!(names(&collected), ["a.png", "empty.png", "out/c.png"]);
    assert_eq!((reasons(&collected), collected.truncated), (Vec::new(), false));
    for (name, size) in [("a.png", 200_000), ("empty.png", 0), ("out/c.png", 1)] {
        assert_eq!(content(&store, path(name)).await, Some(vec![b'x'; size]), "{name}");
    }
    assert_eq!(content(&store, path("b.txt")).await, None);
    let foreign = store.open(RUN, "bob", Kept::Artifact(path("a.png"))).await.expect("a disk");
    assert!(foreign.is_none());
}

#[tokio::test]
async fn what_is_too_much_is_named() {
    let (_directory, store) = store(1 << 20);
    let mut files = vec![("big", 400_000), ("bigger", 400_000), ("huge", (32 << 20) + 1)];
    let many: Vec<String> = (0..150).map(|number| format!("many/{number:03}")).collect();
    files.extend(many.iter().map(|name| (&**name, 1)));
    let sandbox = sandbox(&files).await;
    let none = BTreeSet::new();
    let all = patterns(&["big*", "huge"]);
    let collected = collect(sandbox.as_ref(), &all, Some(&store), (RUN, OWNER), &none).await;
    assert_eq!(names(&collected).len() + reasons(&collected).len(), 3);
    let huge = (String::from("huge"), Reason::TooLarge);
    assert!(reasons(&collected).contains(&huge));
    let many = patterns(&["many/*"]);
    let collected = collect(sandbox.as_ref(), &many, Some(&store), (RUN, OWNER), &none).await;
    assert_eq!((names(&collected).len(), reasons(&collected).len()), (100, 50));
    assert!(collected.omitted.iter().all(|file| file.reason == Reason::TooMany));
    let taken = BTreeSet::from([path("huge")]);
    let collected = collect(sandbox.as_ref(), &all, None, (RUN, OWNER), &taken).await;
    let expected =
        [("big", Reason::NoRoom), ("bigger", Reason::NoRoom), ("huge", Reason::NameTaken)];
    assert_eq!(reasons(&collected), expected.map(|(name, reason)| (String::from(name), reason)));
}

#[tokio::test]
async fn a_sandbox_that_is_gone_has_left_nothing() {
    let (directory, store) = store(1 << 30);
    let sandbox = sandbox(&[("a", 1)]).await;
    sandbox.end().await;
    let none = BTreeSet::new();
    let all = patterns(&["*"]);
    let collected = collect(sandbox.as_ref(), &all, Some(&store), (RUN, OWNER), &none).await;
    assert_eq!(collected, Collected { truncated: true, ..Collected::default() });
    let files = std::fs::read_dir(directory.path().join("outputs")).expect("ours").count();
    assert_eq!(files, 0);
}

fn result(mime: &[(&str, &str)]) -> RichResult {
    let mime = mime.iter().map(|(kind, value)| (String::from(*kind), String::from(*value)));
    RichResult {
        mime: mime.collect(),
        stored: std::collections::BTreeMap::new(),
        is_main_result: true,
    }
}

#[tokio::test]
async fn large_values_are_stored_as_what_they_mean() {
    let (_directory, store) = store(1 << 30);
    let large = LargeResults::new(&store, RUN, OWNER, 10);
    let shown = result(&[
        ("text/plain", "short"),
        ("image/png", "AAEC\nAwQFBgcI"),
        ("text/html", "<b>long text</b>"),
        ("application/vnd.crucible.chart+json", "{\"type\": 1}"),
    ]);
    let light = large.lighten(shown, 1);
    assert_eq!(light.mime.keys().collect::<Vec<_>>(), ["text/plain"]);
    let stored: Vec<_> = light
        .stored
        .iter()
        .map(|(kind, file)| (&**kind, file.path.to_string(), file.size))
        .collect();
    let expected = [
        ("application/vnd.crucible.chart+json", String::from(".results/1.chart.json"), 11),
        ("image/png", String::from(".results/1.png"), 9),
        ("text/html", String::from(".results/1.html"), 16),
    ];
    assert_eq!(stored, expected);
    assert_eq!(content(&store, path(".results/1.png")).await, Some((0..9).collect()));
    assert_eq!(large.names().len(), 3);
    // What is no base64, and what has a name that is taken, stays.
    let odd = large.lighten(result(&[("image/png", "!!!!!!!!!!!!")]), 2);
    let again = large.lighten(result(&[("text/html", "<b>other text</b>")]), 1);
    assert!(odd.stored.is_empty() && again.stored.is_empty());
    assert_eq!((odd.mime.len(), again.mime.len()), (1, 1));
}
