//! Which calls are allowed, in groups with a reason. Everything that is not named here is refused:
//! with EPERM where the call existed when this table was written, with ENOSYS where it did not (so
//! that a newer libc falls back to what it used before instead of failing).

use libc as c;

use super::bpf::{Action, Check, Interval};

/// What the host can do decides a few rows.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Memory is limited by a cgroup. Without one, memory that belongs to no process (memfd, System V
    /// shared memory) could not be counted, and its calls are refused.
    pub memory_cgroup: bool,
}

/// The first number that did not exist in Linux 6.12, the newest kernel this table was checked with.
const FIRST_UNKNOWN: u32 = 463;

/// Namespace flags of `clone(2)`; the last is CLONE_NEWUSER's neighbour CLONE_NEWCGROUP.
const NAMESPACE_FLAGS: u32 = (c::CLONE_NEWNS
    | c::CLONE_NEWCGROUP
    | c::CLONE_NEWUTS
    | c::CLONE_NEWIPC
    | c::CLONE_NEWUSER
    | c::CLONE_NEWPID
    | c::CLONE_NEWNET)
    .cast_unsigned();

/// AF_UNIX, AF_INET, AF_INET6. Others reach parts of the kernel that no network namespace covers
/// (AF_VSOCK, AF_ALG) or that nobody needs.
const SOCKET_DOMAINS: &[u32] = &[1, 2, 10];

/// The default one, TCP and UDP. Others (SCTP, DCCP, SMC, MPTCP) would load modules of the kernel.
const PROTOCOLS: &[u32] = &[0, 6, 17];

/// Terminal commands that put input into a terminal that somebody else may read.
const TERMINAL_INJECTION: &[u32] = &[0x5412 /* TIOCSTI */, 0x541C /* TIOCLINUX */];

/// A lease on a file that all sandboxes share makes whoever opens it wait for 45 s, and a notification
/// tells when somebody does.
const OBSERVING_OTHERS: &[u32] = &[1024 /* F_SETLEASE */, 1026 /* F_NOTIFY */];

/// `personality` may be asked (0xffffffff) and set to plain Linux (0), nothing else.
const PERSONALITIES: &[u32] = &[0, u32::MAX];

/// Files: open, read, write, rename, attributes. Which files is the business of mounts and modes.
#[rustfmt::skip]
const FILES: &[c::c_long] = &[
    c::SYS_read, c::SYS_write, c::SYS_close, c::SYS_fstat, c::SYS_lseek, c::SYS_pread64,
    c::SYS_pwrite64, c::SYS_readv, c::SYS_writev, c::SYS_preadv, c::SYS_pwritev, c::SYS_preadv2,
    c::SYS_pwritev2, c::SYS_sendfile, c::SYS_dup, c::SYS_dup3, c::SYS_flock,
    c::SYS_fsync, c::SYS_fdatasync, c::SYS_truncate, c::SYS_ftruncate, c::SYS_getdents64,
    c::SYS_getcwd, c::SYS_chdir, c::SYS_fchdir, c::SYS_fchmod, c::SYS_fchown, c::SYS_statfs,
    c::SYS_fstatfs, c::SYS_openat, c::SYS_openat2, c::SYS_mkdirat, c::SYS_mknodat, c::SYS_fchownat,
    c::SYS_newfstatat, c::SYS_unlinkat, c::SYS_renameat, c::SYS_renameat2, c::SYS_linkat,
    c::SYS_symlinkat, c::SYS_readlinkat, c::SYS_fchmodat, SYS_FCHMODAT2, c::SYS_faccessat,
    c::SYS_faccessat2, c::SYS_utimensat, c::SYS_fallocate, c::SYS_fadvise64, c::SYS_readahead,
    c::SYS_sync_file_range, c::SYS_splice, c::SYS_tee,
    c::SYS_copy_file_range, c::SYS_statx, c::SYS_close_range, c::SYS_umask, c::SYS_setxattr,
    c::SYS_lsetxattr, c::SYS_fsetxattr, c::SYS_getxattr, c::SYS_lgetxattr, c::SYS_fgetxattr,
    c::SYS_listxattr, c::SYS_llistxattr, c::SYS_flistxattr, c::SYS_removexattr,
    c::SYS_lremovexattr, c::SYS_fremovexattr, c::SYS_inotify_init1, c::SYS_inotify_add_watch,
    c::SYS_inotify_rm_watch, c::SYS_pipe2, c::SYS_eventfd2,
];

/// Waiting for descriptors.
#[rustfmt::skip]
const POLLING: &[c::c_long] = &[
    c::SYS_epoll_create1, c::SYS_epoll_ctl, c::SYS_epoll_pwait, c::SYS_epoll_pwait2, c::SYS_ppoll,
    c::SYS_pselect6,
];

/// Memory of the own process.
#[rustfmt::skip]
const MEMORY: &[c::c_long] = &[
    c::SYS_brk, c::SYS_mmap, c::SYS_munmap, c::SYS_mprotect, c::SYS_mremap, c::SYS_msync,
    c::SYS_mincore, c::SYS_madvise, c::SYS_mlock, c::SYS_mlock2, c::SYS_munlock, c::SYS_mlockall,
    c::SYS_munlockall, c::SYS_membarrier, c::SYS_pkey_alloc, c::SYS_pkey_free,
    c::SYS_pkey_mprotect, c::SYS_get_mempolicy,
];

/// Starting, waiting for and naming processes and threads (`clone` itself is checked below).
#[rustfmt::skip]
const PROCESSES: &[c::c_long] = &[
    c::SYS_execve, c::SYS_execveat, c::SYS_exit, c::SYS_exit_group, c::SYS_wait4, c::SYS_waitid,
    c::SYS_getpid, c::SYS_getppid, c::SYS_gettid, c::SYS_getpgid, c::SYS_setpgid, c::SYS_getsid,
    c::SYS_setsid, c::SYS_set_tid_address, c::SYS_set_robust_list, c::SYS_get_robust_list,
    c::SYS_rseq, c::SYS_futex, c::SYS_sched_yield, c::SYS_sched_getaffinity,
    c::SYS_sched_getparam,
    c::SYS_sched_getscheduler, c::SYS_sched_get_priority_max,
    c::SYS_sched_get_priority_min, c::SYS_sched_rr_get_interval, c::SYS_sched_getattr,
    c::SYS_getpriority, c::SYS_ioprio_get, c::SYS_getrusage, c::SYS_times, c::SYS_getrlimit, c::SYS_setrlimit,
    c::SYS_prctl, c::SYS_pidfd_open, c::SYS_pidfd_send_signal, c::SYS_getcpu,
];

/// Signals and timers.
#[rustfmt::skip]
const SIGNALS_AND_TIME: &[c::c_long] = &[
    c::SYS_kill, c::SYS_tkill, c::SYS_tgkill, c::SYS_rt_sigaction, c::SYS_rt_sigprocmask,
    c::SYS_rt_sigreturn, c::SYS_rt_sigpending, c::SYS_rt_sigtimedwait, c::SYS_rt_sigqueueinfo,
    c::SYS_rt_tgsigqueueinfo, c::SYS_rt_sigsuspend, c::SYS_sigaltstack, c::SYS_signalfd4,
    c::SYS_restart_syscall, c::SYS_nanosleep, c::SYS_clock_nanosleep, c::SYS_clock_gettime,
    c::SYS_clock_getres, c::SYS_gettimeofday, c::SYS_getitimer, c::SYS_setitimer,
    c::SYS_timer_create, c::SYS_timer_settime, c::SYS_timer_gettime, c::SYS_timer_getoverrun,
    c::SYS_timer_delete, c::SYS_timerfd_create, c::SYS_timerfd_settime, c::SYS_timerfd_gettime,
];

/// Who am I. The setters are harmless: one uid is mapped, and there are no capabilities.
#[rustfmt::skip]
const IDENTITY: &[c::c_long] = &[
    c::SYS_getuid, c::SYS_geteuid, c::SYS_getgid, c::SYS_getegid, c::SYS_getgroups,
    c::SYS_setgroups, c::SYS_setuid, c::SYS_setgid, c::SYS_setreuid, c::SYS_setregid,
    c::SYS_setresuid, c::SYS_setresgid, c::SYS_getresuid, c::SYS_getresgid, c::SYS_setfsuid,
    c::SYS_setfsgid, c::SYS_capget, c::SYS_capset, c::SYS_uname, c::SYS_sysinfo,
    c::SYS_getrandom,
];

/// Sockets within the own network namespace (`socket` itself is checked below).
#[rustfmt::skip]
const SOCKETS: &[c::c_long] = &[
    c::SYS_bind, c::SYS_listen, c::SYS_accept, c::SYS_accept4, c::SYS_connect,
    c::SYS_getsockname, c::SYS_getpeername, c::SYS_sendto, c::SYS_recvfrom, c::SYS_sendmsg,
    c::SYS_recvmsg, c::SYS_sendmmsg, c::SYS_recvmmsg, c::SYS_setsockopt, c::SYS_getsockopt,
    c::SYS_shutdown,
];

/// System V and POSIX objects of the own IPC namespace: Python's multiprocessing, PostgreSQL, C
/// course work. None of them holds memory worth counting.
#[rustfmt::skip]
const IPC: &[c::c_long] = &[
    c::SYS_semget, c::SYS_semop, c::SYS_semtimedop, c::SYS_semctl, c::SYS_msgget, c::SYS_msgsnd,
    c::SYS_msgrcv, c::SYS_msgctl, c::SYS_mq_open, c::SYS_mq_unlink, c::SYS_mq_timedsend,
    c::SYS_mq_timedreceive, c::SYS_mq_notify, c::SYS_mq_getsetattr,
];

/// Memory that outlives the process that filled it: only where a cgroup counts it.
#[rustfmt::skip]
const COUNTED_MEMORY: &[c::c_long] = &[
    c::SYS_memfd_create, c::SYS_shmget, c::SYS_shmat, c::SYS_shmdt, c::SYS_shmctl,
];

/// Spellings that only old architectures have.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const LEGACY: &[c::c_long] = &[
    c::SYS_open, c::SYS_stat, c::SYS_lstat, c::SYS_poll, c::SYS_access, c::SYS_pipe, c::SYS_select,
    c::SYS_dup2, c::SYS_pause, c::SYS_alarm, c::SYS_fork, c::SYS_vfork, c::SYS_getdents,
    c::SYS_rename, c::SYS_mkdir, c::SYS_rmdir, c::SYS_creat, c::SYS_link, c::SYS_unlink,
    c::SYS_symlink, c::SYS_readlink, c::SYS_chmod, c::SYS_chown, c::SYS_lchown, c::SYS_getpgrp,
    c::SYS_utime, c::SYS_utimes, c::SYS_futimesat, c::SYS_mknod, c::SYS_time, c::SYS_epoll_create,
    c::SYS_epoll_wait, c::SYS_inotify_init, c::SYS_signalfd, c::SYS_eventfd, c::SYS_arch_prctl,
];
#[cfg(target_arch = "aarch64")]
#[rustfmt::skip]
const LEGACY: &[c::c_long] = &[];

/// Linux 6.6; glibc uses it for `fchmodat` with flags.
const SYS_FCHMODAT2: c::c_long = 452;

/// Calls that get another answer than "yes" or the default.
fn checked() -> Vec<(c::c_long, Action)> {
    let only_self = Action::Check(Check::Zeroes { indices: &[0] });
    vec![
        // Threads and forks, but no namespaces: a user namespace would open most of the kernel.
        (c::SYS_clone, Action::Check(Check::NoBits { index: 0, mask: NAMESPACE_FLAGS })),
        // Its flags lie in memory, where a filter cannot look. glibc then uses clone.
        (c::SYS_clone3, Action::Errno(c::ENOSYS)),
        (
            c::SYS_socket,
            Action::Check(Check::Socket { domains: SOCKET_DOMAINS, protocols: PROTOCOLS }),
        ),
        (
            c::SYS_socketpair,
            Action::Check(Check::OneOf { index: 0, values: &[1], errno: c::EAFNOSUPPORT }),
        ),
        (c::SYS_ioctl, Action::Check(Check::NoneOf { index: 1, values: TERMINAL_INJECTION })),
        (c::SYS_fcntl, Action::Check(Check::NoneOf { index: 1, values: OBSERVING_OTHERS })),
        (
            c::SYS_personality,
            Action::Check(Check::OneOf { index: 0, values: PERSONALITIES, errno: c::EPERM }),
        ),
        // Would have the host write out all of its file systems. A sandbox has none on a disk.
        (c::SYS_sync, Action::Errno(0)),
        (c::SYS_syncfs, Action::Errno(0)),
        // Threads name themselves by number here. Init must not be put on one busy processor.
        (c::SYS_sched_setaffinity, Action::Check(Check::NoneOf { index: 0, values: &[1] })),
        // Own limits and own priority only: another process of the same uid is init, which the worker
        // needs awake.
        (c::SYS_prlimit64, only_self),
        (c::SYS_sched_setparam, only_self),
        (c::SYS_sched_setscheduler, only_self),
        (c::SYS_sched_setattr, only_self),
        // setpriority(PRIO_PROCESS, 0, …), as nice(2) makes it.
        (c::SYS_setpriority, Action::Check(Check::Zeroes { indices: &[0, 1] })),
    ]
}

/// Every rule, as sorted intervals from 0 on.
pub fn rules(policy: Policy) -> Vec<Interval> {
    let groups =
        [FILES, POLLING, MEMORY, PROCESSES, SIGNALS_AND_TIME, IDENTITY, SOCKETS, IPC, LEGACY];
    let mut allowed: Vec<c::c_long> = groups.concat();
    if policy.memory_cgroup {
        allowed.extend(COUNTED_MEMORY);
    }
    let mut single: Vec<(u32, Action)> = allowed
        .into_iter()
        .map(|number| (number, Action::Allow))
        .chain(checked())
        .map(|(number, action)| (u32::try_from(number).unwrap_or(u32::MAX), action))
        .collect();
    single.sort_by_key(|(number, _)| *number);

    let refused = Action::Errno(c::EPERM);
    let mut intervals = vec![Interval { start: 0, action: refused }];
    for (number, action) in single {
        put(&mut intervals, number, action);
        put(&mut intervals, number + 1, refused);
    }
    put(&mut intervals, FIRST_UNKNOWN, Action::Errno(c::ENOSYS));
    intervals
}

/// Appends an interval; one that starts where the last one does replaces it, and one with the same
/// action as its neighbour disappears in it.
fn put(intervals: &mut Vec<Interval>, start: u32, action: Action) {
    if intervals.last().is_some_and(|last| last.start == start) {
        intervals.pop();
    }
    if intervals.last().is_none_or(|last| last.action != action) {
        intervals.push(Interval { start, action });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(policy: Policy, number: c::c_long) -> Action {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let rules = rules(policy);
        let index = rules.partition_point(|interval| interval.start <= number) - 1;
        rules[index].action
    }

    #[test]
    fn what_opens_the_kernel_is_refused() {
        let policy = Policy { memory_cgroup: true };
        for number in [
            c::SYS_mount,
            c::SYS_umount2,
            c::SYS_pivot_root,
            c::SYS_unshare,
            c::SYS_setns,
            c::SYS_ptrace,
            c::SYS_bpf,
            c::SYS_keyctl,
            c::SYS_add_key,
            c::SYS_request_key,
            c::SYS_userfaultfd,
            c::SYS_perf_event_open,
            c::SYS_io_uring_setup,
            c::SYS_init_module,
            c::SYS_kexec_load,
            c::SYS_reboot,
            c::SYS_swapon,
            c::SYS_open_by_handle_at,
            c::SYS_name_to_handle_at,
            c::SYS_process_vm_readv,
            c::SYS_process_vm_writev,
            c::SYS_pidfd_getfd,
            c::SYS_chroot,
            c::SYS_syslog,
            c::SYS_vmsplice,
            c::SYS_kcmp,
            c::SYS_fanotify_init,
            c::SYS_quotactl,
            c::SYS_acct,
            c::SYS_sethostname,
        ] {
            assert_eq!(action(policy, number), Action::Errno(c::EPERM), "call {number}");
        }
        assert_eq!(action(policy, c::SYS_clone3), Action::Errno(c::ENOSYS));
        assert_eq!(action(policy, 9999), Action::Errno(c::ENOSYS));
    }

    #[test]
    fn memory_without_an_owner_needs_a_cgroup() {
        for number in COUNTED_MEMORY {
            let with = action(Policy { memory_cgroup: true }, *number);
            let without = action(Policy { memory_cgroup: false }, *number);
            assert_eq!((with, without), (Action::Allow, Action::Errno(c::EPERM)), "call {number}");
        }
    }
}
