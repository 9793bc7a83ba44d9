use super::*;
use crate::sandbox::linux::wire::channel;
use crate::sandbox::linux::wire::spawner::{FromSpawner, ToSpawner};

#[tokio::test]
async fn a_spawner_that_is_given_up_is_as_good_as_dead() {
    let (ours, theirs) = channel::pair(true).expect("a pair");
    let client = Arc::new(SpawnerClient::new(ours).expect("a socket"));
    let asking = tokio::spawn({
        let client = Arc::clone(&client);
        async move { client.count().await.map(drop) }
    });
    tokio::task::yield_now().await;
    assert!(!client.has_spoken());

    client.give_up();

    client.failed().await;
    let gone = |asked| matches!(asked, Err(SandboxError::BackendGone));
    assert!(gone(asking.await.expect("no panic")), "whoever waits");
    assert!(gone(client.count().await.map(drop)), "whoever comes");
    let spawner = Packets::new(theirs).expect("a socket");
    while let Ok(Some(_)) = spawner.receive::<ToSpawner>().await {}
}

#[tokio::test]
async fn what_comes_for_somebody_who_has_left_is_ended() {
    let (ours, theirs) = channel::pair(true).expect("a pair");
    let client = Arc::new(SpawnerClient::new(ours).expect("a socket"));
    let spawner = Packets::new(theirs).expect("a socket");
    let hear = async || match spawner.receive::<ToSpawner>().await {
        Ok(Some((message, _))) => message,
        Ok(None) | Err(_) => panic!("a request"),
    };
    let asking = Arc::clone(&client);
    let limits = SandboxLimits {
        memory_bytes: 1,
        processes: 1,
        disk_bytes: 1,
        inodes: 1,
        open_files: 1,
        milli_cpus: 1,
    };
    let caller = tokio::spawn(async move { asking.create(limits).await.map(drop) });
    let ToSpawner { sequence, .. } = hear().await;
    caller.abort();
    assert!(caller.await.is_err());

    let reply = SpawnerReply::Created { sandbox: 7 };
    let reply = FromSpawner::Reply { sequence, reply };
    spawner.send(&reply, &[]).await.expect("somebody listens");

    assert!(matches!(hear().await.request, SpawnerRequest::End { sandbox: 7 }));
}
