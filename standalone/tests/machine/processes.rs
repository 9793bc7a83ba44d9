//! Processes of this machine, as `/proc` tells of them.

use std::time::{Duration, Instant};

use attack::leaks::alive;
use rustix::process::{Pid, Signal, kill_process};

pub use attack::leaks::{children, descendants};

/// Sends a signal to a process by its id.
pub fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(pid, signal).expect("it runs");
}

/// Waits until all of these processes are gone.
pub fn wait_until_gone(pids: &[u32]) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while pids.iter().any(|&pid| alive(pid)) {
        assert!(
            Instant::now() < deadline,
            "still there: {:?}",
            pids.iter().filter(|&&pid| alive(pid)).collect::<Vec<_>>()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
