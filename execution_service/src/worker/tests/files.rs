//! Files of sessions, by a worker whose sandboxes are in memory.

use super::*;
use crate::sandbox::files::{Condition, FileError, FilePath, NewFile, Version, Versions};
use crate::session::SessionError;
use crate::worker::files::{Asked, AskedRange, OpenDownload, Transfer};

const SESSION: (&str, &str) = ("s", OWNER);
const FOREIGN: (&str, &str) = ("s", "bob");
const PLAIN: NewFile = NewFile { parents: true, append: false, mode: None, modified: None };

fn path(path: &str) -> FilePath {
    FilePath::parse(Vec::from(path)).expect("a path")
}

async fn put(scene: &Scene, name: &str, content: &[u8]) -> Result<Version, WorkerError> {
    let transfer = scene.worker.transfer(SESSION).await?;
    let any = Condition::default();
    let mut writer = transfer.create(&path(name), PLAIN, &any, None).await?;
    transfer.write(&mut writer, content).await?;
    let written = transfer.commit(writer, &any).await?;
    Ok(written.status.version().expect("a file"))
}

async fn all_of(transfer: &Transfer, mut open: OpenDownload<'_>) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(piece) = transfer.next(&mut open).await.expect("a piece") {
        all.extend(piece);
    }
    all
}

#[tokio::test]
async fn files_come_and_go_while_something_runs() {
    let scene = Scene::new();
    scene.begin_session().await;
    let mut running = scene.in_context("", "wait");
    started(&mut running).await;
    let version = put(&scene, "data/a.txt", b"0123456789").await.expect("room");

    let transfer = scene.worker.transfer(SESSION).await.expect("a place");
    let asked = Asked { range: Some(AskedRange::FromTo(2, 4)), ..Asked::default() };
    let (found, open) = transfer.file(&path("data/a.txt"), &asked).await.expect("it is there");
    assert_eq!((found.part, found.partial), ((2, 3), true));
    assert_eq!(all_of(&transfer, open).await, b"234");
    let is_not = Some(Versions::These(vec![version]));
    let asked = Asked { condition: Condition { is: None, is_not }, ..Asked::default() };
    let (found, open) = transfer.file(&path("data/a.txt"), &asked).await.expect("it is there");
    assert!(found.not_modified && all_of(&transfer, open).await.is_empty());
    let is = Some(Versions::These(Vec::new()));
    let asked = Asked { condition: Condition { is, is_not: None }, ..Asked::default() };
    let changed = transfer.file(&path("data/a.txt"), &asked).await.map(drop);
    assert!(matches!(changed, Err(WorkerError::File(FileError::Changed))), "{changed:?}");
    let size = Some(u64::MAX);
    let large = transfer.create(&path("x"), PLAIN, &Condition::default(), size).await.map(drop);
    assert!(matches!(large, Err(WorkerError::File(FileError::TooLarge))), "{large:?}");

    let listed = scene.worker.list_files(SESSION, None, 9, 9).await.expect("the workspace");
    let names: Vec<_> = listed.entries.iter().map(|entry| entry.path.to_string()).collect();
    assert_eq!(names, ["data", "data/a.txt"]);
    scene
        .worker
        .remove_file(SESSION, &path("data/a.txt"), false, &Condition::default())
        .await
        .expect("it is there");
    scene.go();
    assert_eq!(finished(running).await.status(), Status::Succeeded);
    drop(transfer);
    scene.end().await;
}

#[tokio::test]
async fn to_strangers_there_are_no_files() {
    let scene = Scene::new();
    scene.begin_session().await;
    let any = Condition::default();
    let placing = crate::sandbox::files::Placing { overwrite: true, parents: true };
    let (one, other) = (path("a"), path("b"));
    let worker = &scene.worker;
    for refused in [
        worker.list_files(FOREIGN, None, 1, 1).await.map(drop),
        worker.transfer(FOREIGN).await.map(drop),
        worker.remove_file(FOREIGN, &one, true, &any).await,
        worker.move_file(FOREIGN, (&one, &other), placing).await,
        worker.copy_file(FOREIGN, (&one, &other), placing).await.map(drop),
        worker.make_directory(FOREIGN, &one, true).await.map(drop),
        worker.watch_files(FOREIGN, None, 1).await.map(drop),
    ] {
        let unknown = matches!(refused, Err(WorkerError::Session(SessionError::NotFound)));
        assert!(unknown, "{refused:?}");
    }
    scene.end().await;
}

#[tokio::test]
async fn places_are_few_and_given_back() {
    let scene = Scene::new();
    scene.begin_session().await;
    let mut held = Vec::new();
    let busy = loop {
        match scene.worker.transfer(SESSION).await {
            Ok(transfer) => held.push(transfer),
            Err(error) => break error,
        }
        assert!(held.len() < 100);
    };
    assert!(matches!(busy, WorkerError::FilesBusy(_)), "{busy:?}");
    drop(held);
    put(&scene, "a", b"").await.expect("a place");
    scene.end().await;
}

#[tokio::test]
async fn what_goes_on_ends_with_its_session() {
    let scene = Scene::new();
    scene.begin_session().await;
    let transfer = scene.worker.transfer(SESSION).await.expect("a place");
    let mut watch = scene.worker.watch_files(SESSION, None, 1).await.expect("a place");
    assert!(watch.next().await.expect("a first look").changes.is_empty());
    scene.inside().put_file(Root::Workspace, "new", b"1", FileMode::Regular);
    let changes = loop {
        let looked = watch.next().await.expect("a look").changes;
        if !looked.is_empty() {
            break looked;
        }
    };
    assert_eq!(changes[0].entry.path, path("new"));
    let watching = tokio::spawn(async move {
        loop {
            if let Err(error) = watch.next().await {
                return error;
            }
        }
    });
    scene.worker.end_session(SESSION.0, OWNER).await.expect("it lives");
    let over = |error: &WorkerError| matches!(error, WorkerError::Session(SessionError::NotFound));
    assert!(over(&watching.await.expect("no panic")));
    let refused = transfer.file(&path("new"), &Asked::default()).await.map(drop);
    assert!(refused.as_ref().is_err_and(over), "{refused:?}");
    assert!(over(&transfer.ended().await));
    drop(transfer);
    scene.end().await;
}
