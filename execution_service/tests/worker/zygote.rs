//! Pythons that are forked from a zygote: as separate as if each had been started, and none the worse for
//! what happens to the zygote.

use std::fs;

use proto::execution_v1::Status;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Worker, children_of, eventually, in_session, new_session, python, without};

/// The zygotes of `worker`: children of its spawner that are no init.
fn zygotes(worker: &Worker) -> Vec<Pid> {
    let spawner = children_of(worker.pid()).into_iter().flat_map(children_of);
    let is_zygote = |pid: &Pid| {
        let line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
        String::from_utf8_lossy(&line).contains("zygote.py")
    };
    spawner.flat_map(children_of).filter(is_zygote).collect()
}

/// A worker with Python only, whose zygote has forked already.
async fn worker() -> Option<(Worker, Pid)> {
    let worker = Worker::start("python", &[]).await?;
    let zygote = eventually("a zygote with a child", async || {
        zygotes(&worker).into_iter().find(|zygote| !children_of(*zygote).is_empty())
    })
    .await;
    Some((worker, zygote))
}

#[tokio::test]
async fn no_two_runs_draw_the_same_random_numbers() {
    let Some((worker, _)) = worker().await else { return };
    let caller = worker.caller().await;
    let draw = "import os, random, secrets, tempfile, uuid\n\
        print(random.random(), random.SystemRandom().random(), os.urandom(8), secrets.token_hex(8), \
        uuid.uuid1(), uuid.uuid4(), next(tempfile._get_candidate_names()), sep='\\n')";
    let mut seen = std::collections::HashSet::new();
    for _ in 0..6 {
        let ran = caller.run(python(draw)).await;
        assert_eq!(ran.status(), Status::Succeeded, "{ran:?}");
        for line in ran.printed().lines() {
            assert!(seen.insert(line.to_owned()), "drawn twice: {line}");
        }
    }
}

#[tokio::test]
async fn a_zygote_whose_children_are_not_confined_gets_no_work() {
    // Init closes itself in by another call than a zygote's child, so only the child is open.
    let Some(wrapper) = without("prctl that filters") else { return };
    let Some(worker) = Worker::start_behind(&wrapper, "python", &[]).await else { return };
    let open = "import ctypes, os\n\
        c = ctypes.CDLL(None, use_errno=True)\n\
        print(c.unshare(0x10000000), ctypes.get_errno())";
    eventually("a zygote has been looked at", async || {
        let log = worker.log();
        (log.contains("a zygote is ready") || log.contains("no zygote")).then_some(())
    })
    .await;
    let caller = worker.caller().await;
    // What was warm before is used up first.
    for _ in 0..4 {
        assert_eq!(caller.run(python(open)).await.printed(), "-1 1\n", "a namespace was made");
    }
    assert!(worker.log().contains("Seccomp_filters: Seen"), "it says why");
}

#[tokio::test]
async fn a_forked_kernel_has_given_up_everything() {
    let Some((worker, _)) = worker().await else { return };
    let look = "import os, re\nstatus = open('/proc/self/status').read()\n\
        print(*re.findall('(?:Uid|CapEff|CapPrm|CapBnd|NoNewPrivs|Seccomp):.*', status), sep='\\n')\n\
        print(sorted(int(fd) for fd in os.listdir('/proc/self/fd') if int(fd) > 3 and int(fd) < 100))\n\
        print(os.getpid() == os.getsid(0), os.getcwd(), os.listdir('/proc/1/fd') if os.access('/proc/1/fd', os.R_OK) else 'closed')";
    let printed = worker.caller().await.run(python(look)).await.printed();
    assert_eq!(
        printed,
        "Uid:\t1000\t1000\t1000\t1000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n\
         CapBnd:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n[]\nTrue /home/user closed\n"
    );
}

#[tokio::test]
async fn nobody_notices_the_death_of_the_zygote() {
    let Some((worker, zygote)) = worker().await else { return };
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("python")).await.unwrap();
    assert_eq!(caller.run(in_session(&session, "x = 41")).await.status(), Status::Succeeded);
    let mut running = caller
        .execute(python("print('up', flush=True)\nimport time; time.sleep(1); exit(7)"))
        .await
        .unwrap();
    running.says("up").await;

    kill_process(zygote, Signal::KILL).unwrap();

    let ran = running.finish().await;
    assert_eq!(ran.outcome().exit_code, Some(7), "{ran:?}");
    assert_eq!(caller.run(in_session(&session, "print(x + 1)")).await.printed(), "42\n");
    assert_eq!(caller.run(python("import os; os._exit(3)")).await.outcome().exit_code, Some(3));
    eventually("another zygote", async || {
        zygotes(&worker).into_iter().find(|other| *other != zygote)
    })
    .await;
    assert_eq!(caller.run(python("print('next')")).await.printed(), "next\n");
}

#[tokio::test]
async fn a_zygote_that_hangs_is_replaced() {
    let Some((worker, zygote)) = worker().await else { return };
    let caller = worker.caller().await;
    kill_process(zygote, Signal::STOP).unwrap();
    // What is warm serves the first ones; the next have to be made.
    for _ in 0..6 {
        assert_eq!(caller.run(python("print('still here')")).await.printed(), "still here\n");
    }
    eventually("it is gone", async || (!zygotes(&worker).contains(&zygote)).then_some(())).await;
    assert_eq!(caller.run(python("print('next')")).await.printed(), "next\n");
}

#[tokio::test]
async fn a_program_ends_as_python_ends_it() {
    let Some((worker, _)) = worker().await else { return };
    let caller = worker.caller().await;
    let program = "import atexit, sys, threading, time\n\
        class Last:\n    def __del__(self): print('finalized', sys.version_info[0])\n\
        last = Last()\ncircle = [Last()]; circle.append(circle)\n\
        atexit.register(print, 'hook')\n\
        threading.Thread(target=lambda: (time.sleep(0.2), print('thread'))).start()\n\
        file = open('/tmp/kept', 'w'); file.write('unflushed')\nsys.exit('goodbye')";
    let ran = caller.run(python(program)).await;
    assert_eq!(ran.stdout(), "thread\nhook\nfinalized 3\nfinalized 3\n", "{ran:?}");
    assert_eq!(ran.stderr(), "goodbye\n");
    assert_eq!(ran.outcome().exit_code, Some(1));
}
