//! What a process beside user code could do to the worker if user code ever got hold of it.

use std::fs;
use std::io::{self, ErrorKind, IoSlice, Write};
use std::mem::MaybeUninit;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use crate::support::{Worker, bash, children_of, in_session, new_session, within};

/// Both ends of a connection. To close the first one takes an hour, as the other one reads nothing.
fn slow_to_close() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut giver = TcpStream::connect(listener.local_addr()?)?;
    let (taker, _) = listener.accept()?;
    giver.set_nonblocking(true)?;
    loop {
        match giver.write(&[0; 65536]) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    set_socket_linger(&giver, Some(Duration::from_secs(3600)))?;
    Ok((giver, taker))
}

fn give(socket: BorrowedFd<'_>, gift: BorrowedFd<'_>) -> io::Result<()> {
    let (gifts, bytes) = ([gift], [IoSlice::new(b"x")]);
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    assert!(control.push(SendAncillaryMessage::ScmRights(&gifts)));
    sendmsg(socket, &bytes, &mut control, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)?;
    Ok(())
}

/// Copies of all descriptors of `process`, as whoever has taken it over has them; an error for anybody
/// but root.
fn descriptors_of(process: Pid) -> io::Result<Vec<OwnedFd>> {
    let handle = pidfd_open(process, PidfdFlags::empty())?;
    let listed = fs::read_dir(format!("/proc/{}/fd", process.as_raw_nonzero()))?;
    let numbers = listed.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    numbers.map(|fd| Ok(pidfd_getfd(&handle, fd, PidfdGetfdFlags::empty())?)).collect()
}

#[tokio::test]
async fn what_is_slow_to_close_cannot_be_given_to_the_worker_by_init_either() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("bash")).await.unwrap();
    caller.run(in_session(&session, "x=41")).await;
    let spawner = children_of(children_of(worker.pid())[0])[0];
    let mut takers = Vec::new();
    // One has a session beside it, the other waits for one.
    for init in children_of(spawner) {
        let Ok(descriptors) = descriptors_of(init) else {
            eprintln!(
                "skipped: what_is_slow_to_close_… (only root gets at the descriptors of init)"
            );
            return;
        };
        assert!(descriptors.len() >= 2, "it has a way to the worker");
        for descriptor in descriptors {
            let (giver, taker) = slow_to_close().unwrap();
            if give(descriptor.as_fd(), giver.as_fd()).is_err() {
                // Whoever lets go last has to wait, and that is us.
                set_socket_linger(&giver, None).unwrap();
            }
            takers.push(taker);
        }
    }
    within("the worker answers", async {
        assert_eq!(caller.run(bash("echo hello")).await.printed(), "hello\n");
        assert_eq!(caller.run(in_session(&session, "echo $((x + 1))")).await.printed(), "42\n");
    })
    .await;
}
