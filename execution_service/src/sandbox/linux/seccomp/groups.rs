//! The calls that are allowed whatever their arguments are, in groups with a reason. What is not named here
//! or among the few that are looked at more closely is refused.

use libc::c_long;

/// The numbers of calls, those included that the libc crate does not have for every architecture.
mod numbers {
    #![allow(non_upper_case_globals, reason = "as the crate spells them")]
    pub use libc::*;

    /// Linux 6.6; glibc uses it for `fchmodat` with flags.
    pub const SYS_fchmodat2: c_long = 452;
}

/// A system call of this architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// As `syscalls(2)` has it, behind `SYS_`.
    name: &'static str,
    /// Its number.
    pub number: c_long,
}

impl Call {
    /// As `syscalls(2)` has it.
    pub fn name(self) -> &'static str {
        self.name.trim_start_matches("SYS_")
    }
}

/// Calls that are allowed for one reason.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// In a word or two.
    pub name: &'static str,
    /// Why they are allowed.
    pub reason: &'static str,
    /// Whether they are only allowed where memory is limited by a cgroup.
    pub needs_memory_cgroup: bool,
    /// In no order.
    pub calls: &'static [Call],
}

macro_rules! calls {
    ($($name:ident),* $(,)?) => {
        &[$(Call { name: stringify!($name), number: numbers::$name }),*]
    };
}

const fn group(name: &'static str, reason: &'static str, calls: &'static [Call]) -> Group {
    Group { name, reason, needs_memory_cgroup: false, calls }
}

/// All of them.
#[rustfmt::skip]
pub const GROUPS: &[Group] = &[
    group(
        "files",
        "open, read, write, rename and their attributes: which files is the business of \
         mounts and modes",
        calls![
            SYS_read, SYS_write, SYS_close, SYS_fstat, SYS_lseek, SYS_pread64,
            SYS_pwrite64, SYS_readv, SYS_writev, SYS_preadv, SYS_pwritev,
            SYS_pwritev2, SYS_sendfile, SYS_dup, SYS_dup3, SYS_flock,
            SYS_truncate, SYS_ftruncate, SYS_getdents64,
            SYS_getcwd, SYS_chdir, SYS_fchdir, SYS_fchmod, SYS_fchown, SYS_statfs,
            SYS_fstatfs, SYS_mkdirat, SYS_mknodat,
            SYS_fchownat, SYS_newfstatat, SYS_unlinkat, SYS_renameat, SYS_renameat2,
            SYS_linkat, SYS_symlinkat, SYS_readlinkat, SYS_fchmodat, SYS_fchmodat2,
            SYS_faccessat, SYS_faccessat2, SYS_utimensat, SYS_fallocate,
            SYS_readahead, SYS_splice,
            SYS_tee, SYS_copy_file_range, SYS_statx, SYS_close_range, SYS_umask,
            SYS_getxattr, SYS_lgetxattr, SYS_fgetxattr,
            SYS_listxattr, SYS_llistxattr, SYS_flistxattr,
            SYS_removexattr, SYS_lremovexattr, SYS_fremovexattr,
            SYS_pipe2, SYS_eventfd2,
        ],
    ),
    group(
        "polling",
        "waiting for descriptors",
        calls![
            SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_epoll_pwait2,
            SYS_ppoll, SYS_pselect6,
        ],
    ),
    group(
        "memory",
        "memory of the own process",
        calls![
            SYS_brk, SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap, SYS_msync,
            SYS_mincore, SYS_mlock, SYS_mlock2, SYS_munlock, SYS_mlockall,
            SYS_munlockall, SYS_membarrier, SYS_pkey_alloc, SYS_pkey_free,
            SYS_pkey_mprotect, SYS_get_mempolicy,
        ],
    ),
    group(
        "processes",
        "starting, waiting for and naming processes and threads of the own pid namespace; \
         `clone` itself is checked",
        calls![
            SYS_execve, SYS_execveat, SYS_exit, SYS_exit_group, SYS_wait4, SYS_waitid,
            SYS_getpid, SYS_getppid, SYS_gettid, SYS_getpgid, SYS_setpgid, SYS_getsid,
            SYS_setsid, SYS_set_tid_address, SYS_set_robust_list, SYS_get_robust_list,
            SYS_rseq, SYS_futex, SYS_sched_yield, SYS_sched_getaffinity,
            SYS_sched_getparam, SYS_sched_getscheduler,
            SYS_sched_get_priority_max, SYS_sched_get_priority_min,
            SYS_sched_rr_get_interval, SYS_sched_getattr, SYS_getpriority,
            SYS_ioprio_get, SYS_getrusage, SYS_times, SYS_getrlimit, SYS_setrlimit,
            SYS_pidfd_open, SYS_pidfd_send_signal, SYS_getcpu,
        ],
    ),
    group(
        "signals and time",
        "signals within the own pid namespace, clocks to read, timers of the own process",
        calls![
            SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigaction, SYS_rt_sigprocmask,
            SYS_rt_sigreturn, SYS_rt_sigpending, SYS_rt_sigtimedwait,
            SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_rt_sigsuspend,
            SYS_sigaltstack, SYS_signalfd4, SYS_restart_syscall, SYS_nanosleep,
            SYS_clock_nanosleep, SYS_clock_gettime, SYS_clock_getres, SYS_gettimeofday,
            SYS_getitimer, SYS_setitimer, SYS_timer_create, SYS_timer_settime,
            SYS_timer_gettime, SYS_timer_getoverrun, SYS_timer_delete,
            SYS_timerfd_create, SYS_timerfd_settime, SYS_timerfd_gettime,
        ],
    ),
    group(
        "identity",
        "who am I; the setters are harmless: one uid is mapped, and there are no capabilities",
        calls![
            SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getgroups,
            SYS_setgroups, SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid,
            SYS_setresuid, SYS_setresgid, SYS_getresuid, SYS_getresgid, SYS_setfsuid,
            SYS_setfsgid, SYS_capget, SYS_capset, SYS_uname, SYS_sysinfo, SYS_getrandom,
        ],
    ),
    group(
        "sockets",
        "within the own network namespace, which has only a loopback; `socket` and \
         `setsockopt` are checked",
        calls![
            SYS_bind, SYS_listen, SYS_accept, SYS_accept4, SYS_connect, SYS_getsockname,
            SYS_getpeername, SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg,
            SYS_sendmmsg, SYS_recvmmsg, SYS_getsockopt, SYS_shutdown,
        ],
    ),
    group(
        "ipc",
        "System V and POSIX objects of the own IPC namespace, for Python's multiprocessing, \
         databases and course work; those that hold memory are made by the calls below",
        calls![
            SYS_semop, SYS_semtimedop, SYS_semctl, SYS_msgsnd, SYS_msgrcv, SYS_msgctl, SYS_mq_open, SYS_mq_unlink, SYS_mq_timedsend,
            SYS_mq_timedreceive, SYS_mq_notify, SYS_mq_getsetattr,
        ],
    ),
    Group {
        needs_memory_cgroup: true,
        ..group("counted memory", "memory that outlives the process that filled it: only where a cgroup counts it", calls![
            SYS_memfd_create, SYS_semget, SYS_msgget, SYS_shmget, SYS_shmat, SYS_shmdt, SYS_shmctl,
        ])
    },
    #[cfg(target_arch = "x86_64")]
    group(
        "legacy",
        "older spellings of the above, which only x86-64 has",
        calls![
            SYS_stat, SYS_lstat, SYS_poll, SYS_access, SYS_pipe, SYS_select,
            SYS_dup2, SYS_pause, SYS_alarm, SYS_fork, SYS_vfork, SYS_getdents,
            SYS_rename, SYS_mkdir, SYS_rmdir, SYS_creat, SYS_link, SYS_unlink,
            SYS_symlink, SYS_readlink, SYS_chmod, SYS_chown, SYS_lchown, SYS_getpgrp,
            SYS_utime, SYS_utimes, SYS_futimesat, SYS_mknod, SYS_time, SYS_epoll_create,
            SYS_epoll_wait, SYS_signalfd, SYS_eventfd, SYS_arch_prctl,
        ],
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_call_stands_once_and_every_group_says_why() {
        let mut seen = BTreeSet::new();
        let mut names = BTreeSet::new();
        for group in GROUPS {
            assert!(names.insert(group.name), "two groups are called {}", group.name);
            assert!(group.reason.len() > 10, "{} has no reason", group.name);
            assert!(!group.calls.is_empty(), "{} is empty", group.name);
            for call in group.calls {
                assert!(seen.insert(call.number), "{} stands twice", call.name());
                assert!(!call.name().contains("SYS_"), "{}", call.name());
            }
        }
    }
}
