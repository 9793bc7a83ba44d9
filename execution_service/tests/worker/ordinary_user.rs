//! A worker that an ordinary user started: one uid for the service and all sandboxes, and mostly no cgroups.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use proto::execution_v1::{Limits, Status};
use tempfile::TempDir;

use crate::support::{
    BINARY, Worker, bash, c, in_session, limits, new_session, output, python, skipped,
};

/// One of user 65534, or of our own where we are not root; nothing, and a note, where that cannot be had.
async fn worker(languages: &str) -> Option<(Worker, TempDir)> {
    let other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    let wrapper: &[&str] = if rustix::process::geteuid().is_root() { &other } else { &[] };
    if !output(&[wrapper, &[BINARY, "--version"]].concat(), &[]).status.success() {
        skipped("an ordinary user cannot come to the executable");
        return None;
    }
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o777)).unwrap();
    let address = directory.path().join("address");
    let settings = [("ADDRESS_FILE", address.to_str().unwrap())];
    let worker = Worker::start_behind(wrapper, languages, &settings).await?;
    Some((worker, directory))
}

#[tokio::test]
async fn descriptors_in_flight_are_nobody_elses_loss() {
    let Some((worker, _directory)) = worker("python,bash,c").await else { return };
    let caller = worker.caller().await;
    let hoard = "import socket, time\n\
        left, right = socket.socketpair()\n\
        left.setblocking(False)\n\
        try:\n    while True: socket.send_fds(left, [b'x'], [0] * 200)\n\
        except OSError as refusal: print('up', refusal.errno, flush=True)\n\
        time.sleep(600)";
    let mut running = caller.execute(python(hoard)).await.unwrap();
    running.says("up").await;
    // What was warm before is used up first.
    for _ in 0..4 {
        assert_eq!(caller.run(bash("echo hello")).await.printed(), "hello\n");
        assert_eq!(caller.run(python("print('hello')")).await.printed(), "hello\n");
    }
    let hello = "#include <stdio.h>\nint main(void) { puts(\"hello\"); }";
    assert_eq!(caller.run(c(hello)).await.printed(), "hello\n");
    drop(running);
}

#[tokio::test]
async fn descriptors_in_flight_cost_a_session_nothing() {
    let Some((worker, _directory)) = worker("c").await else { return };
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("c")).await.unwrap();
    let leave = "#include <stdio.h>\n#include <string.h>\n#include <sys/socket.h>\n#include <unistd.h>\n\
        int main(void) {\n\
        if (fork() == 0) {\n\
            int pair[2], copies[100] = {0};\n\
            char space[CMSG_SPACE(sizeof copies)], byte = 0;\n\
            struct iovec part = {&byte, 1};\n\
            struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};\n\
            struct cmsghdr *header = CMSG_FIRSTHDR(&message);\n\
            header->cmsg_level = SOL_SOCKET; header->cmsg_type = SCM_RIGHTS; header->cmsg_len = CMSG_LEN(sizeof copies);\n\
            memcpy(CMSG_DATA(header), copies, sizeof copies);\n\
            setsid();\n\
            socketpair(AF_UNIX, SOCK_STREAM, 0, pair);\n\
            while (sendmsg(pair[0], &message, MSG_DONTWAIT) > 0) continue;\n\
            puts(\"full\"); fflush(stdout);\n\
            pause();\n\
        }\n\
        sleep(1); }";
    assert_eq!(caller.run(in_session(&session, leave)).await.printed(), "full\n");
    let hello = "#include <stdio.h>\nint main(void) { puts(\"hello\"); }";
    assert_eq!(caller.run(in_session(&session, hello)).await.printed(), "hello\n");
}

#[tokio::test]
async fn a_program_has_the_limits_that_init_has_not() {
    let Some((worker, _directory)) = worker("python,bash,c").await else { return };
    let caller = worker.caller().await;
    let few = Limits { open_files: Some(77), ..Limits::default() };
    let python = python(
        "import resource as r; print(*r.getrlimit(r.RLIMIT_NOFILE), *r.getrlimit(r.RLIMIT_NICE))",
    );
    assert_eq!(caller.run(limits(few, python)).await.printed(), "77 77 0 0\n");
    let shell = bash("echo $(ulimit -Sn) $(ulimit -Hn) $(ulimit -He)");
    assert_eq!(caller.run(limits(few, shell)).await.printed(), "77 77 0\n");
}

#[tokio::test]
async fn who_keeps_its_watch_from_looking_is_stopped() {
    let Some((worker, _directory)) = worker("python").await else { return };
    let caller = worker.caller().await;
    if caller.run(python("")).await.outcome().usage.clone().unwrap().accounting == "enforced" {
        return skipped("this user has cgroups");
    }
    // Each far below the limit; together, five times as much.
    let crowd = "import os, time\n\
        for child in range(40):\n    \
            if os.fork() == 0:\n        \
                hoard, begin = [], time.monotonic()\n        \
                while True:\n            \
                    if len(hoard) < 25 and time.monotonic() - begin > 0.3: hoard.append(bytearray(b'x' * 1_000_000))\n\
        time.sleep(10)";
    let little = Limits { memory_bytes: Some(192 << 20), ..Limits::default() };
    let ran = caller.run(limits(little, python(crowd))).await;
    assert!(matches!(ran.status(), Status::OutOfMemory | Status::Killed), "{ran:?}");
    assert!(matches!(ran.limit(), "memory" | "unwatched"), "{ran:?}");
}

#[tokio::test]
async fn memory_that_is_no_process_own_is_counted() {
    let Some((worker, _directory)) = worker("python,c").await else { return };
    let caller = worker.caller().await;
    let little = Limits { memory_bytes: Some(192 << 20), ..Limits::default() };
    let tables = "#include <stdio.h>\n#include <sys/mman.h>\n#include <unistd.h>\nint main(void) {\n\
        size_t size = (size_t)1 << 38;\n\
        char *area = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);\n\
        madvise(area, size, MADV_NOHUGEPAGE);\n\
        unsigned sum = 0;\n\
        for (size_t at = 0; at < size; at += 2 << 20) sum += ((volatile char *)area)[at];\n\
        sleep(10); return sum; }";
    let shared = "import mmap, os, time\n\
        area = mmap.mmap(-1, 256 << 20)\n\
        if os.fork() == 0:\n    \
            for at in range(0, len(area), 4096): area[at] = 1\n    \
            os._exit(0)\n\
        os.wait()\n\
        time.sleep(10)";
    let hidden = format!("import ctypes\nctypes.CDLL(None).prctl(4, 0)\n{shared}");
    for program in [c(tables), python(shared), python(&hidden)] {
        let ran = caller.run(limits(little, program)).await;
        assert_eq!((ran.status(), ran.limit()), (Status::OutOfMemory, "memory"), "{ran:?}");
    }
}

#[tokio::test]
async fn a_mapped_file_of_the_workspace_is_counted_once() {
    let Some((worker, _directory)) = worker("python").await else { return };
    let little =
        Limits { memory_bytes: Some(192 << 20), disk_bytes: Some(160 << 20), ..Limits::default() };
    let program = "import mmap, os, time\n\
        file = os.open('/dev/shm/area', os.O_RDWR | os.O_CREAT)\n\
        os.ftruncate(file, 120 << 20)\n\
        area = mmap.mmap(file, 120 << 20)\n\
        for at in range(0, len(area), 4096): area[at] = 1\n\
        for child in range(3):\n    \
            if os.fork() == 0: sum(area[::4096]); time.sleep(0.5); os._exit(0)\n\
        time.sleep(0.5)\n\
        print('done')";
    let ran = worker.caller().await.run(limits(little, python(program))).await;
    assert_eq!(ran.printed(), "done\n", "{ran:?}");
}
