//! The walls: what is tried against each, what must come of it, and what an operator can do where it
//! does not.

use libc::{
    EACCES, EADDRNOTAVAIL, EAFNOSUPPORT, EAGAIN, ECONNREFUSED, EFBIG, EINVAL, EMFILE, ENETUNREACH,
    ENOENT, ENOMEM, ENOPROTOOPT, ENOSPC, ENOSYS, EPERM, EROFS, ESRCH, SIGKILL,
};

use super::row::Must::{
    self, AtLeast, AtMost, BeKilled, BeRefused, BeStopped, Differ, Show, Succeed,
};
use super::row::Row;
use super::{Host, remedy};
use crate::sandbox::isolation::{Demand, Need, WallState};

/// Nothing.
fn nothing(_: &Host) -> Option<(WallState, String)> {
    None
}

/// What most rows are.
const ROW: Row = Row {
    wall: "",
    need: Need::Always,
    tried: "",
    evidence: &[],
    stages: &[],
    instead: nothing,
    remedy: remedy::a_fault,
};

const NO: Must = BeRefused(&[EPERM]);
const UNREACHABLE: Must = BeRefused(&[ENETUNREACH]);
const FOREIGN: Must = BeRefused(&[EAFNOSUPPORT]);
/// Without a `/proc`, what would be there is as safe as can be.
const HIDDEN: Must = BeRefused(&[EACCES, EPERM, ENOENT]);
const UNWRITABLE: Must = BeRefused(&[EACCES, EPERM, ENOENT, EROFS]);

/// All of them, the outermost first.
#[rustfmt::skip]
pub const WALLS: &[Row] = &[
    Row {
        wall: "user_namespace",
        tried: "compared the namespace with the worker's; became root of it, which must not exist",
        evidence: &[("user namespace", Differ), ("become root", BeRefused(&[EINVAL]))],
        stages: &["making a user namespace", "setting up the user namespace", "entering the namespaces",
                  "clone", "map ids"],
        remedy: remedy::user_namespaces,
        ..ROW
    },
    Row {
        wall: "user",
        tried: "looked at the ids of a process",
        evidence: &[("uid and gid", Show(&["1000:1000"])), ("become root", BeRefused(&[EINVAL]))],
        stages: &["setgroups", "setresgid", "setresuid"],
        remedy: remedy::user_namespaces,
        ..ROW
    },
    Row {
        wall: "pid_namespace",
        tried: "compared the namespace with the worker's; signalled the worker; looked for processes and into the first one",
        evidence: &[
            ("pid namespace", Differ), ("parent", Show(&["1"])),
            ("signal the worker", BeRefused(&[ESRCH])),
            ("processes in sight", Show(&["init and itself", "none"])),
            ("read the environment of process 1", HIDDEN), ("read the memory of process 1", HIDDEN),
            ("enter the root of process 1", HIDDEN),
        ],
        remedy: remedy::user_namespaces,
        ..ROW
    },
    Row {
        wall: "mount_namespace",
        tried: "compared the namespace and the root directory with the worker's",
        evidence: &[("mount namespace", Differ), ("root directory", Differ)],
        stages: &["private mounts", "build the template", "bind the template", "enter the template", "pivot_root",
                  "detach the old root", "enter the workspace"],
        remedy: remedy::mounts,
        ..ROW
    },
    Row {
        wall: "read_only_root",
        tried: "made files and opened some for writing in every directory but the workspace; looked at the flags of all mounts",
        evidence: &[
            ("make a file in /", BeRefused(&[EROFS])), ("make a file in /usr", BeRefused(&[EROFS])),
            ("make a file in /etc", BeRefused(&[EROFS])), ("open /etc/passwd for writing", UNWRITABLE),
            ("directories that can be changed", Show(&["none"])), ("mounts", Show(&["read-only, nosuid, nodev"])),
            ("open core_pattern for writing", UNWRITABLE), ("open a sysctl for writing", UNWRITABLE),
            // Otherwise it would be no wonder that the rest fails.
            ("make a file in the workspace", Succeed),
        ],
        stages: &["workspace", "workspace directory", "bind the workspace", "request directory"],
        remedy: remedy::mounts,
        ..ROW
    },
    Row {
        wall: "network_namespace",
        tried: "compared the namespace with the worker's; looked for interfaces and ways out; called the worker",
        evidence: &[
            ("network namespace", Differ), ("interfaces that are up", Show(&["lo"])),
            ("the way to 169.254.169.254", UNREACHABLE), ("the way to the internet", UNREACHABLE),
            // A kernel without IPv6, or with it switched off, has no such addresses at all.
            ("the way to the internet by IPv6", BeRefused(&[ENETUNREACH, EAFNOSUPPORT, EADDRNOTAVAIL])),
            ("connect to the worker's port", BeRefused(&[ECONNREFUSED])),
            ("connect to the worker's abstract socket", BeRefused(&[ECONNREFUSED])),
        ],
        stages: &["loopback"],
        remedy: remedy::user_namespaces,
        ..ROW
    },
    Row {
        wall: "ipc_namespace", tried: "compared the namespace with the worker's",
        evidence: &[("ipc namespace", Differ)],
        remedy: remedy::user_namespaces,
        ..ROW
    },
    Row {
        wall: "uts_namespace", tried: "compared the namespace with the worker's; asked for the host's name",
        evidence: &[("uts namespace", Differ), ("host name", Show(&["sandbox"]))],
        stages: &["host name"],
        remedy: remedy::user_namespaces,
        ..ROW
    },
    Row {
        wall: "cgroup_namespace", tried: "compared the namespace with the worker's",
        evidence: &[("cgroup namespace", Differ)],
        stages: &["unshare cgroup namespace"],
        remedy: remedy::user_namespaces,
        ..ROW
    },
    Row {
        wall: "capabilities",
        tried: "looked at all five sets; did what needs CAP_NET_ADMIN",
        evidence: &[
            ("capabilities", Show(&["none"])), ("mark a packet as the administrator of a network", BeRefused(&[EPERM, ENOPROTOOPT])),
        ],
        stages: &["empty the bounding set", "drop capabilities"],
        ..ROW
    },
    Row {
        wall: "no_new_privs", tried: "asked the kernel",
        evidence: &[("no_new_privs", Show(&["set"]))],
        stages: &["no_new_privs"],
        remedy: remedy::seccomp,
        ..ROW
    },
    Row {
        wall: "seccomp",
        tried: "made a call of every family that is refused, by its number; made calls of other architectures",
        evidence: &[
            ("seccomp mode", Show(&["2"])),
            ("unshare", NO), ("clone with CLONE_NEWUSER", NO), ("setns", NO), ("ptrace", NO),
            ("mount", NO), ("umount2", NO), ("pivot_root", NO), ("chroot", NO), ("open_tree", NO),
            ("move_mount", NO), ("fsopen", NO), ("bpf", NO), ("keyctl", NO), ("add_key", NO), ("request_key", NO),
            ("userfaultfd", NO), ("perf_event_open", NO), ("io_uring_setup", NO), ("io_uring_enter", NO),
            ("open_by_handle_at", NO), ("name_to_handle_at", NO), ("kexec_load", NO), ("init_module", NO),
            ("finit_module", NO), ("delete_module", NO), ("reboot", NO), ("swapon", NO),
            ("process_vm_readv", NO), ("process_vm_writev", NO), ("pidfd_getfd", NO), ("kcmp", NO),
            ("syslog", NO), ("fanotify_init", NO), ("clock_settime", NO),
            ("clone3", BeRefused(&[ENOSYS])), ("a call that does not exist", BeRefused(&[ENOSYS])),
            ("TIOCSTI", NO), ("TIOCSTI with a high bit", NO),
            ("a filter of packets", BeRefused(&[ENOPROTOOPT])), ("a filter of one's own", BeRefused(&[EINVAL])),
            ("AF_NETLINK", FOREIGN), ("AF_PACKET", FOREIGN), ("AF_VSOCK", FOREIGN), ("AF_ALG", FOREIGN),
            ("a raw socket", NO),
            #[cfg(target_arch = "x86_64")]
            // Where the kernel has no such entry at all, the processor stops it.
            ("a 32-bit call", BeKilled(&[libc::SIGSYS, libc::SIGSEGV])),
            #[cfg(target_arch = "x86_64")]
            ("an x32 call", BeKilled(&[libc::SIGSYS])),
        ],
        stages: &["seccomp"],
        remedy: remedy::seccomp,
        ..ROW
    },
    Row {
        wall: "descriptors", tried: "looked for open descriptors that a program would inherit",
        evidence: &[("descriptors", Show(&["0 1 2"]))],
        ..ROW
    },
    Row {
        wall: "environment", tried: "looked for what the worker was started with: variables and command line",
        evidence: &[("environment", Show(&["empty"])), ("command line", Show(&["empty"]))],
        ..ROW
    },
    Row {
        wall: "limits",
        tried: "used twice the memory, processes, disk, inodes, descriptors and file size of a small sandbox",
        evidence: &[
            ("hold too much memory", BeStopped(&[ENOMEM])),
            ("start too many processes", BeRefused(&[EAGAIN])),
            ("fill the workspace", BeRefused(&[ENOSPC])), ("make too many files", BeRefused(&[ENOSPC])),
            ("open too many files", BeRefused(&[EMFILE])), ("make too large a file", BeRefused(&[EFBIG])),
            ("raise the limit of open files", NO), ("largest core file", Show(&["0"])),
        ],
        stages: &["resource limits"],
        remedy: remedy::limits,
        ..ROW
    },
    Row {
        wall: "cgroup_memory",
        need: Need::IfDemanded(Demand::Cgroups),
        tried: "held twice the memory of a small sandbox",
        evidence: &[("hold too much memory", BeKilled(&[SIGKILL])), ("kills counted by the cgroup", AtLeast(1))],
        stages: &["cgroup", "join the cgroup"],
        instead: Host::without_cgroups,
        remedy: remedy::cgroups,
    },
    Row {
        wall: "cgroup_pids",
        need: Need::IfDemanded(Demand::Cgroups),
        tried: "started twice the processes of a small sandbox",
        evidence: &[("start too many processes", BeRefused(&[EAGAIN])), ("refusals counted by the cgroup", AtLeast(1))],
        stages: &[],
        instead: Host::without_cgroups,
        remedy: remedy::cgroups,
    },
    Row {
        wall: "cgroup_cpu",
        need: Need::IfDemanded(Demand::CpuQuota),
        tried: "computed without a pause with a twentieth of a processor",
        // A quota is given anew in each period, of which the attempt sees parts of two or three.
        evidence: &[("percent of a processor", AtMost(40)), ("pauses counted by the cgroup", AtLeast(1))],
        stages: &[],
        instead: Host::without_cpu_controller,
        remedy: remedy::cpu_controller,
    },
    Row {
        wall: "own_uid",
        need: Need::IfDemanded(Demand::OwnUids),
        tried: "compared the ids of two sandboxes with each other and with the worker's",
        evidence: &[("ids on the host", Show(&["distinct"])), ("groups", Show(&["none"]))],
        stages: &[],
        instead: Host::without_own_uids,
        remedy: remedy::own_uids,
    },
    Row {
        wall: "proc",
        need: Need::IfDemanded(Demand::FreshProc),
        tried: "looked for processes and the kernel's secrets in /proc",
        evidence: &[
            ("processes in sight", Show(&["init and itself"])), ("the kernel's command line", Show(&["empty"])),
            ("the kernel's keys", Show(&["empty"])),
        ],
        stages: &["mount proc", "mask proc"],
        instead: Host::without_proc,
        remedy: remedy::proc,
    },
];
