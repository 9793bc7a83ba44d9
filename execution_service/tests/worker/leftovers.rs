//! The end of a worker, polite or not: nothing of it stays.

use proto::wire::reason;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{
    Family, Worker, bash, cgroups_of, children_of, eventually, family_of, in_session, inhabitants,
    new_session,
};

/// A worker with a warm sandbox, a session, and a run in it.
struct Busy {
    worker: Worker,
    running: crate::support::Running,
    family: Family,
    spawner: Pid,
    main: Pid,
}

async fn busy() -> Busy {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("bash")).await.unwrap();
    let program =
        in_session(&session, "trap '' TERM INT HUP; setsid sleep 600 & echo up; sleep 600");
    let mut running = caller.execute(program).await.unwrap();
    running.says("up").await;
    let [main] = children_of(worker.pid())[..] else {
        panic!("one process waits for the worker");
    };
    let [spawner] = children_of(main)[..] else {
        panic!("the worker has one child, which makes the sandboxes");
    };
    // The pool fills up behind the session: wait until nothing new comes.
    let family = eventually("the worker is at rest", async || {
        let first = family_of(worker.pid());
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        (family_of(worker.pid()) == first).then_some(first)
    })
    .await;
    assert!(family.size() >= 6, "{family:?}");
    Busy { worker, running, family, spawner, main }
}

#[tokio::test]
async fn a_worker_that_is_told_to_end_does_and_leaves_nothing() {
    for signal in [Signal::TERM, Signal::INT] {
        let Busy { mut worker, running, family, .. } = busy().await;
        kill_process(worker.pid(), signal).unwrap();
        // Nobody has cancelled it: it is the service that could not go on.
        let refusal = running.try_finish().await.expect_err("it has no outcome");
        assert_eq!(refusal.reason, reason::SHUTTING_DOWN);
        // It gives itself five seconds; what takes longer is another exit status.
        assert_eq!(worker.ended().await.code(), Some(0), "{}", worker.log());
        family.gone().await;
        assert_eq!(cgroups_of(worker.pid()), Vec::<std::path::PathBuf>::new());
    }
}

#[tokio::test]
async fn a_worker_that_is_killed_leaves_nothing() {
    let Busy { mut worker, running, family, main, .. } = busy().await;
    kill_process(main, Signal::KILL).unwrap();
    assert!(running.try_finish().await.is_err(), "its stream breaks");
    assert_eq!(worker.ended().await.code(), Some(137));
    family.gone().await;
    assert_eq!(cgroups_of(worker.pid()), Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn a_worker_without_its_spawner_ends_and_leaves_nothing() {
    let Busy { mut worker, running, family, spawner, .. } = busy().await;
    kill_process(spawner, Signal::KILL).unwrap();
    let _ = running.try_finish().await;
    assert_eq!(worker.ended().await.code(), Some(1), "{}", worker.log());
    family.gone().await;
    assert_eq!(cgroups_of(worker.pid()), Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn a_spawner_that_stays_stopped_is_taken_for_dead() {
    let Busy { mut worker, running, family, spawner, .. } = busy().await;
    kill_process(spawner, Signal::STOP).unwrap();
    eventually("it is given up", async || worker.log().contains("taken for dead").then_some(()))
        .await;
    assert!(running.try_finish().await.is_err(), "its sandbox ends with the spawner");
    assert_eq!(worker.ended().await.code(), Some(1), "{}", worker.log());
    family.gone().await;
    assert_eq!(cgroups_of(worker.pid()), Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn a_worker_that_is_killed_beside_a_stopped_spawner_leaves_nothing() {
    let Busy { mut worker, running, family, spawner, main } = busy().await;
    kill_process(spawner, Signal::STOP).unwrap();
    kill_process(main, Signal::KILL).unwrap();
    let _ = running.try_finish().await;
    assert_eq!(worker.ended().await.code(), Some(137), "{}", worker.log());
    family.gone().await;
    assert_eq!(cgroups_of(worker.pid()), Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn what_the_outermost_process_could_not_remove_the_next_worker_does() {
    let Busy { mut worker, running, family, .. } = busy().await;
    kill_process(worker.pid(), Signal::KILL).unwrap();
    let _ = running.try_finish().await;
    worker.ended().await;
    family.gone().await;
    eventually("its cgroups are empty", async || {
        inhabitants(worker.pid()).is_empty().then_some(())
    })
    .await;
    // One that starts at the same time may be about to remove it: then the next but one finds nothing.
    let next = eventually("a worker has removed its cgroups", async || {
        let next = Worker::bash(&[]).await;
        cgroups_of(worker.pid()).is_empty().then_some(next)
    })
    .await;
    let caller = next.caller().await;
    assert_eq!(caller.run(bash("echo hello")).await.printed(), "hello\n");
}

/// A process that waits, in a cgroup of a worker that never was; removed whatever comes of the test.
struct Orphan {
    directory: std::path::PathBuf,
    process: std::process::Child,
}

impl Drop for Orphan {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir(self.directory.join("sandbox-1"));
        let _ = std::fs::remove_dir(&self.directory);
    }
}

#[tokio::test]
async fn what_runs_on_in_a_killed_workers_sandbox_is_killed_by_the_next_start_and_reported() {
    let model = Worker::bash(&[]).await;
    let Some(beside) = cgroups_of(model.pid()).pop() else {
        eprintln!("skipped: what_runs_on_in_a_killed_workers_sandbox (no cgroups for this user)");
        return;
    };
    // No process has that number: it is above the kernel's own bound.
    let directory = beside.with_file_name(format!("crucible-{}", 5_000_000 + std::process::id()));
    let inside = directory.join("sandbox-1");
    std::fs::create_dir_all(&inside).unwrap();
    let process = std::process::Command::new("sleep").arg("600").spawn().unwrap();
    let mut orphan = Orphan { directory, process };
    std::fs::write(inside.join("cgroup.procs"), orphan.process.id().to_string()).unwrap();

    // Another test's worker may be the one that does it.
    let next = Worker::bash(&[]).await;

    let waiting = std::sync::Mutex::new(&mut orphan.process);
    let ended = eventually("it is killed", async || waiting.lock().unwrap().try_wait().unwrap());
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&ended.await), Some(9));
    eventually("its cgroup is removed", async || (!orphan.directory.exists()).then_some(())).await;
    let name = orphan.directory.file_name().unwrap().to_str().unwrap();
    let log = next.log();
    if let Some(report) = log.lines().find(|line| line.contains(name)) {
        assert!(
            report.contains("cgroup is removed") && report.contains("\"killed\":1"),
            "{report}"
        );
    }
}

#[tokio::test]
async fn finished_runs_leave_nothing_behind() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    caller.run(bash("echo warm")).await.printed();
    let at_rest = async || {
        eventually("the worker is at rest", async || {
            let first = family_of(worker.pid()).size();
            tokio::time::sleep(std::time::Duration::from_millis(150)).await;
            (family_of(worker.pid()).size() == first).then_some(first)
        })
        .await
    };
    let before = at_rest().await;
    for _ in 0..10 {
        caller.run(bash("setsid sleep 600 & sleep 600 & disown; echo x")).await.printed();
    }
    let pool = 8;
    let after = at_rest().await;
    assert!(after <= before + 2 * pool, "{before} processes before, {after} after");
    let cgroups = cgroups_of(worker.pid());
    for sandboxes in cgroups.iter().map(|directory| std::fs::read_dir(directory).unwrap()) {
        let left = sandboxes.filter(|entry| entry.as_ref().unwrap().path().is_dir()).count();
        assert!(left <= pool + 3, "{left} cgroups below {cgroups:?}");
    }
}
