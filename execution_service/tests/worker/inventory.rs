//! What the worker believes it holds, and what the kernel says there is.

use std::fs;
use std::time::Duration;

use proto::execution_v1 as wire;
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{sleep, timeout};

use crate::support::{
    Caller, Worker, bash, cgroups_of, children_of, eventually, in_session, new_session, within,
};

/// One number of each kind, if both sides agree on all of them.
fn agreed(inventory: &wire::Inventory) -> Option<Vec<(String, u64)>> {
    let held = inventory.items.iter().filter(|held| held.kind != "descriptors");
    held.map(|held| {
        let agree = held.kernel.is_none_or(|kernel| kernel == held.worker);
        agree.then(|| (held.kind.clone(), held.worker))
    })
    .collect()
}

/// Waits until nothing runs and both sides agree, for longer than anything takes to come or go.
async fn at_rest(caller: &Caller) -> Vec<(String, u64)> {
    eventually("both sides agree", async || {
        let first = agreed(&caller.inventory().await.ok()?)?;
        sleep(Duration::from_millis(300)).await;
        let again = caller.inventory().await.ok()?;
        (again.running == 0 && agreed(&again).as_ref() == Some(&first)).then_some(first)
    })
    .await
}

fn held(inventory: &wire::Inventory, what: &str) -> (u64, Option<u64>) {
    let held = inventory.items.iter().find(|held| held.kind == what).expect(what);
    (held.worker, held.kernel)
}

#[tokio::test]
async fn after_a_storm_of_runs_sessions_and_cancels_both_sides_agree_as_before() {
    let worker = Worker::bash(&[("MAX_POOL_SIZE", "1")]).await;
    let caller = worker.caller().await;
    caller.run(bash("echo warm")).await.printed();
    let before = at_rest(&caller).await;
    assert!(before.iter().any(|(what, count)| what == "sandboxes" && *count == 1), "{before:?}");

    let storm = (0..24).map(|number| {
        let caller = caller.clone();
        async move {
            match number % 4 {
                0 => drop(caller.run(bash("echo x; setsid sleep 600 &")).await),
                // Whoever goes away takes the run along.
                1 => {
                    let mut running = caller.execute(bash("echo up; sleep 600")).await.unwrap();
                    running.says("up").await;
                }
                2 => {
                    let session = caller.create_session(new_session("bash")).await.unwrap();
                    caller.run(in_session(&session, "sleep 600 & x=1")).await;
                    let owner = crate::support::OWNER;
                    caller.end_session(&session.session_id, owner).await.unwrap();
                }
                // Gone before there is a session.
                _ => {
                    let creating = caller.create_session(new_session("bash"));
                    let _ = timeout(Duration::from_millis(number / 2), creating).await;
                }
            }
        }
    });
    within("the storm is over", futures::future::join_all(storm)).await;
    for session in caller.list_sessions(crate::support::OWNER).await {
        caller.end_session(&session, crate::support::OWNER).await.unwrap();
    }

    assert_eq!(at_rest(&caller).await, before);
    let after = caller.inventory().await.unwrap();
    assert!(after.runs.values().sum::<u64>() >= 18 && after.cold_starts > 0, "{after:?}");
    let (most, open) = held(&after, "descriptors");
    assert!(open.unwrap() < most, "{after:?}");
}

#[tokio::test]
async fn a_directory_that_nobody_knows_of_is_told_in_figures_and_in_the_log() {
    let worker = Worker::bash(&[("INVENTORY_INTERVAL", "1")]).await;
    let caller = worker.caller().await;
    let Some(tree) = cgroups_of(worker.pid()).pop() else {
        eprintln!("skipped: a_directory_that_nobody_knows_of (no cgroups for this user)");
        return;
    };
    at_rest(&caller).await;
    let (known, there) = held(&caller.inventory().await.unwrap(), "cgroups");
    assert_eq!(there, Some(known));

    fs::create_dir(tree.join("sandbox-999999999")).unwrap();

    let seen = held(&caller.inventory().await.unwrap(), "cgroups");
    assert_eq!(seen, (known, Some(known + 1)));
    eventually("it is in the log", async || {
        let log = worker.log();
        let mut lines = log.lines().filter(|line| line.contains("count differently"));
        lines.any(|line| line.contains("\"cgroups\"") && line.contains("WARN")).then_some(())
    })
    .await;
    fs::remove_dir(tree.join("sandbox-999999999")).unwrap();
    at_rest(&caller).await;
    let told = worker.log().lines().filter(|line| line.contains("count differently")).count();
    assert_eq!(told, 1, "once is enough: {}", worker.log());
}

#[tokio::test]
async fn a_warm_sandbox_that_was_killed_is_replaced() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let before = at_rest(&caller).await;
    let [init] = children_of(spawner(&worker))[..] else {
        panic!("one warm sandbox");
    };

    kill_process(init, Signal::KILL).unwrap();

    eventually("another one is there", async || {
        let now = children_of(spawner(&worker));
        (now.len() == 1 && now[0] != init).then_some(())
    })
    .await;
    assert_eq!(at_rest(&caller).await, before);
}

#[tokio::test]
async fn inits_that_are_stopped_cost_their_own_sandboxes_only() {
    let worker = Worker::bash(&[("MAX_POOL_SIZE", "1")]).await;
    let caller = worker.caller().await;
    let before = at_rest(&caller).await;
    let session = caller.create_session(new_session("bash")).await.unwrap();
    caller.run(in_session(&session, "x=41")).await;
    at_rest(&caller).await;
    let inits = children_of(spawner(&worker));
    assert!(inits.len() >= 2, "that of the session and that of a warm sandbox");

    inits.iter().for_each(|init| kill_process(*init, Signal::STOP).unwrap());

    // Whatever comes of the first ones, somebody is told of it.
    let begun = [in_session(&session, "echo $x"), bash("echo hello")];
    let stuck = begun.map(|request| async {
        match caller.execute(request).await {
            Ok(running) => running.try_finish().await.map(drop),
            Err(refusal) => Err(refusal),
        }
    });
    let stuck = within("they are answered", futures::future::join_all(stuck)).await;
    assert!(stuck.iter().any(Result::is_err), "an init that is stopped does nothing: {stuck:?}");
    assert_eq!(caller.run(bash("echo hello")).await.printed(), "hello\n");
    let _ = caller.end_session(&session.session_id, crate::support::OWNER).await;
    eventually("they are gone", async || {
        let left = children_of(spawner(&worker));
        (!left.iter().any(|init| inits.contains(init))).then_some(())
    })
    .await;
    assert_eq!(at_rest(&caller).await, before);
}

#[tokio::test]
async fn a_worker_whose_spawner_is_stopped_says_so_within_seconds_and_recovers() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    at_rest(&caller).await;
    let spawner = spawner(&worker);

    kill_process(spawner, Signal::STOP).unwrap();

    let refusal = eventually("it is noticed", async || caller.try_capabilities().await.err()).await;
    assert_eq!(refusal.code, tonic::Code::Unavailable, "{refusal:?}");
    assert_eq!(caller.refused(bash("echo hi")).await.code, tonic::Code::Unavailable);

    kill_process(spawner, Signal::CONT).unwrap();

    eventually("it is back", async || caller.try_capabilities().await.ok()).await;
    assert_eq!(caller.run(bash("echo hello")).await.printed(), "hello\n");
    at_rest(&caller).await;
}

fn spawner(worker: &Worker) -> Pid {
    let main = children_of(worker.pid())[0];
    children_of(main)[0]
}
