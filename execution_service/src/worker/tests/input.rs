//! Standard input of runs that stays open.

use tokio_util::bytes::Bytes;

use super::*;
use crate::execution::input::{Input, InputError};

fn with_input(code: &str) -> Request {
    Request { input: Some(Input::new(Bytes::from_static(b"first\n"))), ..request(code) }
}

async fn write(
    scene: &Scene,
    id: &str,
    owner: &str,
    text: &'static str,
) -> Result<(), WorkerError> {
    scene.worker.write_input(id, owner, Bytes::from_static(text.as_bytes()), text.is_empty()).await
}

#[tokio::test]
async fn a_run_reads_what_its_owner_writes_and_nobody_else() {
    let scene = Scene::new();
    let accepted = scene.accept(with_input("echo"), None);
    // Also before its program is there to read.
    write(&scene, "echo", OWNER, "second\n").await.expect("it is open");
    for (id, owner) in [("echo", "bob"), ("other", OWNER)] {
        let refused = write(&scene, id, owner, "x").await;
        assert!(matches!(refused, Err(WorkerError::ExecutionNotFound)), "{refused:?}");
    }
    write(&scene, "echo", OWNER, "").await.expect("the end");
    let late = write(&scene, "echo", OWNER, "late").await;
    let closed = matches!(
        late,
        Err(WorkerError::Input(InputError::Closed) | WorkerError::ExecutionNotFound)
    );
    assert!(closed, "{late:?}");
    let finished = finished(accepted).await;
    assert_eq!((finished.status(), &*finished.stdout()), (Status::Succeeded, "firstsecond"));
    scene.end().await;
}

#[tokio::test]
async fn what_is_not_open_takes_nothing_and_what_is_stopped_lets_go() {
    let scene = Scene::new();
    let closed = scene.alone("hang");
    let refused = write(&scene, "hang", OWNER, "x").await;
    assert!(matches!(refused, Err(WorkerError::Input(InputError::Closed))), "{refused:?}");
    scene.worker.cancel("hang", OWNER).expect("it runs");
    assert_eq!(finished(closed).await.status(), Status::Cancelled);
    let reading = scene.accept(with_input("echo"), None);
    write(&scene, "echo", OWNER, "more").await.expect("it is open");
    scene.worker.cancel("echo", OWNER).expect("it runs");
    assert_eq!(finished(reading).await.status(), Status::Cancelled);
    scene.end().await;
}
