//! What happens to each call: those of [`super::groups`] are allowed, some are looked at more closely, and
//! everything else is refused: with EPERM where the call existed when this table was written, with ENOSYS
//! where it did not (so that a newer libc falls back to what it used before instead of failing).

use libc as c;

use super::arguments;
use super::bpf::{Action, Check, Interval};
use super::groups::{Call, GROUPS};
use super::policy::{Confined, Policy};

/// The first number that did not exist in Linux 6.12, the newest kernel this table was checked with.
pub(super) const FIRST_UNKNOWN: u32 = 463;

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

/// `personality` may be asked (0xffffffff) and set to plain Linux (0), nothing else.
const PERSONALITIES: &[u32] = &[0, u32::MAX];

/// Calls that get another answer than "yes" or the default.
pub(super) fn checked(policy: Policy) -> Vec<(c::c_long, Action)> {
    let only_self = Action::Check(Check::Zeroes { indices: &[0] });
    let mut all = vec![
        #[cfg(target_arch = "x86_64")]
        (c::SYS_inotify_init, Action::Errno(c::ENOSYS)),
        // Threads and forks, but no namespaces: a user namespace would open most of the kernel.
        (c::SYS_clone, Action::Check(Check::Clone { namespaces: NAMESPACE_FLAGS })),
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
        (
            c::SYS_personality,
            Action::Check(Check::OneOf { index: 0, values: PERSONALITIES, errno: c::EPERM }),
        ),
        // Would have the host write out all of its file systems. A sandbox has none on a disk.
        (c::SYS_sync, Action::Errno(0)),
        (c::SYS_syncfs, Action::Errno(0)),
        // The same of one file: also for one of /usr, which nobody here has written, the disk is told to flush.
        (c::SYS_fsync, Action::Errno(0)),
        (c::SYS_fdatasync, Action::Errno(0)),
        (c::SYS_sync_file_range, Action::Errno(0)),
        // Debian's Linux 6.1, with the BPF security module, lets whoever owns a file give it any number of
        // `security.…` attributes, and no cgroup counts their memory. As on a file system without attributes.
        (c::SYS_setxattr, Action::Errno(c::EOPNOTSUPP)),
        (c::SYS_lsetxattr, Action::Errno(c::EOPNOTSUPP)),
        (c::SYS_fsetxattr, Action::Errno(c::EOPNOTSUPP)),
        // The files of /usr are the same for all: a watch tells what other sandboxes and the host run. As on a
        // kernel without it, for which programs know another way.
        (c::SYS_inotify_init1, Action::Errno(c::ENOSYS)),
        (c::SYS_inotify_add_watch, Action::Errno(c::ENOSYS)),
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
    ];
    all.extend(arguments::checked(policy));
    all.extend(arguments::of_init(policy.of));
    all
}

/// The calls that are allowed whatever their arguments are.
pub(super) fn allowed(policy: Policy) -> impl Iterator<Item = Call> {
    let groups =
        GROUPS.iter().filter(move |group| policy.memory_cgroup || !group.needs_memory_cgroup);
    groups.flat_map(|group| group.calls).copied()
}

/// All is allowed but what init alone may do: see [`Confined`].
pub fn lost_by_programs() -> Vec<Interval> {
    all_but(arguments::of_init(Confined::Program))
}

/// All is allowed but to become another program.
pub fn lost_by_those_aside() -> Vec<Interval> {
    let refused = Action::Errno(c::EPERM);
    all_but([(c::SYS_execve, refused), (c::SYS_execveat, refused)])
}

fn all_but(mut lost: [(c::c_long, Action); 2]) -> Vec<Interval> {
    let mut intervals = vec![Interval { start: 0, action: Action::Allow }];
    lost.sort_by_key(|(number, _)| *number);
    for (number, action) in lost {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        put(&mut intervals, number, action);
        put(&mut intervals, number + 1, Action::Allow);
    }
    intervals
}

/// Every rule, as sorted intervals from 0 on.
pub fn rules(policy: Policy) -> Vec<Interval> {
    let mut single: Vec<(u32, Action)> = allowed(policy)
        .map(|call| (call.number, Action::Allow))
        .chain(checked(policy))
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
        let policy = Policy { memory_cgroup: true, of: Confined::Program };
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
    fn nothing_is_hidden_in_attributes_of_files() {
        let policy = Policy { memory_cgroup: true, of: Confined::Program };
        for number in [c::SYS_setxattr, c::SYS_lsetxattr, c::SYS_fsetxattr] {
            assert_eq!(action(policy, number), Action::Errno(c::EOPNOTSUPP), "call {number}");
        }
    }

    #[test]
    fn memory_without_an_owner_needs_a_cgroup() {
        for number in [c::SYS_memfd_create, c::SYS_shmget, c::SYS_shmat] {
            let with = action(Policy { memory_cgroup: true, of: Confined::Program }, number);
            let without = action(Policy { memory_cgroup: false, of: Confined::Program }, number);
            assert_eq!((with, without), (Action::Allow, Action::Errno(c::EPERM)), "call {number}");
        }
    }
}
