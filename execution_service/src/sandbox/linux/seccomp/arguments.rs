//! Calls that are many calls in one: which of their commands, options and flags are allowed. Lists of what is
//! allowed and not of what is known to be bad, for the same reason as with the calls themselves: each new kernel
//! brings more of them, and few of those that there are have anybody who asks for them in a sandbox.

use libc as c;

use super::bpf::{Action, Check, Level};
use super::policy::{Confined, Policy};

/// A command as the kernel reads it: an `int`, or a word of 32 bits.
const fn word(number: c::c_int) -> u32 {
    number.cast_unsigned()
}

/// Reads that go past the memory that all share, to the disk: six sandboxes of one owner made the host's fsync take
/// 45 ms in place of half of one. All that can be written is in memory anyway. As on a file system without it.
const DIRECT: u32 = c::O_DIRECT.cast_unsigned();

/// Of `fcntl`. Left out, beside what is newer: F_SETLEASE (whoever opens a file of `/usr`, which all sandboxes
/// share, would wait for 45 s), F_NOTIFY (tells who does), and locks of the open file, of which one descriptor may
/// have any number and which every sandbox finds in `/proc/locks`.
const DESCRIPTOR_COMMANDS: &[u32] = &[
    word(c::F_DUPFD),
    word(c::F_DUPFD_CLOEXEC),
    word(c::F_GETFD),
    word(c::F_SETFD),
    word(c::F_GETFL),
    word(c::F_SETFL),
    word(c::F_GETLK),
    word(c::F_SETLK),
    word(c::F_SETLKW),
    word(c::F_SETOWN),
    word(c::F_GETOWN),
    10, // F_SETSIG
    11, // F_GETSIG
    15, // F_SETOWN_EX
    16, // F_GETOWN_EX
    word(c::F_GETLEASE),
    word(c::F_SETPIPE_SZ),
    word(c::F_GETPIPE_SZ),
    word(c::F_ADD_SEALS),
    word(c::F_GET_SEALS),
];

/// Of `ioctl`: what terminals are asked, by those that have one and by those who hear that there is none; what files, pipes and sockets
/// are asked; and the questions about interfaces. Left out, beside all that drivers and file systems have: input
/// put into a terminal that somebody else may read (TIOCSTI, TIOCLINUX), line disciplines (TIOCSETD), and commands about bridges and VLANs,
/// for which Linux loads a module whoever asks.
const DEVICE_COMMANDS: &[u32] = &[
    0x5401,      // TCGETS
    0x5402,      // TCSETS
    0x5403,      // TCSETSW
    0x5404,      // TCSETSF
    0x5409,      // TCSBRK
    0x540A,      // TCXONC
    0x540B,      // TCFLSH
    0x540E,      // TIOCSCTTY
    0x540F,      // TIOCGPGRP
    0x5410,      // TIOCSPGRP
    0x5411,      // TIOCOUTQ, SIOCOUTQ
    0x5413,      // TIOCGWINSZ
    0x5414,      // TIOCSWINSZ
    0x541B,      // FIONREAD, TIOCINQ, SIOCINQ
    0x5421,      // FIONBIO
    0x5422,      // TIOCNOTTY
    0x5425,      // TCSBRKP
    0x5429,      // TIOCGSID
    0x5450,      // FIONCLEX
    0x5451,      // FIOCLEX
    0x5452,      // FIOASYNC
    0x5460,      // FIOQSIZE
    0x8905,      // SIOCATMARK
    0x8910,      // SIOCGIFNAME
    0x8912,      // SIOCGIFCONF
    0x8913,      // SIOCGIFFLAGS
    0x8915,      // SIOCGIFADDR
    0x8917,      // SIOCGIFDSTADDR
    0x8919,      // SIOCGIFBRDADDR
    0x891B,      // SIOCGIFNETMASK
    0x891D,      // SIOCGIFMETRIC
    0x8921,      // SIOCGIFMTU
    0x8927,      // SIOCGIFHWADDR
    0x8933,      // SIOCGIFINDEX
    0x8942,      // SIOCGIFTXQLEN
    0x402C_542B, // TCSETS2
    0x402C_542C, // TCSETSW2
    0x402C_542D, // TCSETSF2
    0x802C_542A, // TCGETS2
    0x8008_6601, // FS_IOC_GETFLAGS
    0xC020_660B, // FS_IOC_FIEMAP
];

/// Of `prctl`. Left out, among others: PR_SET_SECCOMP and PR_SET_VMA, which take memory of the kernel that no
/// cgroup counts; of the first there is a limit for the whole host, beyond which nobody gets a filter, our own
/// sandboxes included. PR_SCHED_CORE, by which one keeps others off the second thread of a core. PR_SET_MEMORY_MERGE,
/// by which one finds out what pages of others hold.
const PROCESS_OPTIONS: &[u32] = &[
    word(c::PR_SET_PDEATHSIG),
    word(c::PR_GET_PDEATHSIG),
    word(c::PR_GET_DUMPABLE),
    word(c::PR_SET_DUMPABLE),
    word(c::PR_GET_KEEPCAPS),
    word(c::PR_SET_KEEPCAPS),
    word(c::PR_SET_NAME),
    word(c::PR_GET_NAME),
    word(c::PR_GET_SECCOMP),
    word(c::PR_CAPBSET_READ),
    word(c::PR_CAPBSET_DROP),
    word(c::PR_GET_SECUREBITS),
    word(c::PR_SET_SECUREBITS),
    word(c::PR_SET_TIMERSLACK),
    word(c::PR_GET_TIMERSLACK),
    word(c::PR_SET_CHILD_SUBREAPER),
    word(c::PR_GET_CHILD_SUBREAPER),
    word(c::PR_SET_NO_NEW_PRIVS),
    word(c::PR_GET_NO_NEW_PRIVS),
    word(c::PR_GET_TID_ADDRESS),
    word(c::PR_SET_THP_DISABLE),
    word(c::PR_GET_THP_DISABLE),
    word(c::PR_CAP_AMBIENT),
    50, // PR_SVE_SET_VL, of 64-bit ARM as the next and 54 to 56
    51, // PR_SVE_GET_VL
    word(c::PR_GET_SPECULATION_CTRL),
    word(c::PR_SET_SPECULATION_CTRL),
    54, // PR_PAC_RESET_KEYS
    55, // PR_SET_TAGGED_ADDR_CTRL
    56, // PR_GET_TAGGED_ADDR_CTRL
    65, // PR_SET_MDWE
    66, // PR_GET_MDWE
    word(c::PR_SET_PTRACER),
];

/// Of `madvise`. Left out: MADV_MERGEABLE, as PR_SET_MEMORY_MERGE above; MADV_COLLAPSE, for which all processors
/// get work; the two that simulate broken memory.
const MEMORY_ADVICE: &[u32] = &[
    word(c::MADV_NORMAL),
    word(c::MADV_RANDOM),
    word(c::MADV_SEQUENTIAL),
    word(c::MADV_WILLNEED),
    word(c::MADV_DONTNEED),
    word(c::MADV_FREE),
    word(c::MADV_REMOVE),
    word(c::MADV_DONTFORK),
    word(c::MADV_DOFORK),
    word(c::MADV_HUGEPAGE),
    word(c::MADV_NOHUGEPAGE),
    word(c::MADV_DONTDUMP),
    word(c::MADV_DODUMP),
    word(c::MADV_WIPEONFORK),
    word(c::MADV_KEEPONFORK),
    word(c::MADV_COLD),
    word(c::MADV_PAGEOUT),
    word(c::MADV_POPULATE_READ),
    word(c::MADV_POPULATE_WRITE),
    24,  // MADV_DONTNEED_LOCKED
    102, // MADV_GUARD_INSTALL
    103, // MADV_GUARD_REMOVE
];

/// Of `posix_fadvise`: all but POSIX_FADV_DONTNEED. The files of `/usr` are one for all: whoever throws their
/// pages out has everybody else wait for the disk, and sees by their return what others run.
const FILE_ADVICE: &[u32] = &[
    word(c::POSIX_FADV_NORMAL),
    word(c::POSIX_FADV_RANDOM),
    word(c::POSIX_FADV_SEQUENTIAL),
    word(c::POSIX_FADV_WILLNEED),
    word(c::POSIX_FADV_NOREUSE),
];

/// Of `setsockopt`, by level. Left out, among others: filters for packets (SO_ATTACH_FILTER and the like: memory
/// as PR_SET_SECCOMP takes it), and all that makes one end of a connection deaf to the other (IP_MINTTL,
/// TCP_MD5SIG, TCP_AO, IP_OPTIONS) or lets it wait for long (TCP_LINGER2, TCP_USER_TIMEOUT): such a connection
/// outlives its processes, and keeps its network namespace. Memberships of groups, flow labels and time stamps
/// are lists and switches that all network namespaces share; a sandbox has nobody to talk to in a group.
const SOCKET_OPTIONS: &[Level] = &[
    Level {
        level: word(c::SOL_SOCKET),
        names: &[
            word(c::SO_REUSEADDR),
            word(c::SO_DONTROUTE),
            word(c::SO_BROADCAST),
            word(c::SO_SNDBUF),
            word(c::SO_RCVBUF),
            word(c::SO_KEEPALIVE),
            word(c::SO_OOBINLINE),
            word(c::SO_PRIORITY),
            word(c::SO_LINGER),
            word(c::SO_PASSCRED),
            word(c::SO_RCVLOWAT),
            word(c::SO_SNDLOWAT),
            word(c::SO_RCVTIMEO),
            word(c::SO_SNDTIMEO),
            word(c::SO_PEEK_OFF),
        ],
    },
    Level {
        level: word(c::IPPROTO_TCP),
        names: &[
            word(c::TCP_NODELAY),
            word(c::TCP_CORK),
            word(c::TCP_KEEPIDLE),
            word(c::TCP_KEEPINTVL),
            word(c::TCP_KEEPCNT),
            word(c::TCP_DEFER_ACCEPT),
            word(c::TCP_QUICKACK),
            word(c::TCP_FASTOPEN),
        ],
    },
    Level {
        level: word(c::IPPROTO_IP),
        names: &[
            word(c::IP_TOS),
            word(c::IP_TTL),
            word(c::IP_PKTINFO),
            word(c::IP_MTU_DISCOVER),
            word(c::IP_RECVERR),
            word(c::IP_RECVTTL),
            word(c::IP_RECVTOS),
            word(c::IP_BIND_ADDRESS_NO_PORT),
            word(c::IP_MULTICAST_IF),
            word(c::IP_MULTICAST_TTL),
            word(c::IP_MULTICAST_LOOP),
        ],
    },
    Level {
        level: word(c::IPPROTO_IPV6),
        names: &[
            word(c::IPV6_UNICAST_HOPS),
            word(c::IPV6_MULTICAST_IF),
            word(c::IPV6_MULTICAST_HOPS),
            word(c::IPV6_MULTICAST_LOOP),
            word(c::IPV6_MTU_DISCOVER),
            word(c::IPV6_RECVERR),
            word(c::IPV6_V6ONLY),
            word(c::IPV6_RECVPKTINFO),
            word(c::IPV6_TCLASS),
        ],
    },
];

/// A group of sockets on one port is a list that no cgroup counts, and a sandbox needs no second server on a port.
const SHARED_PORTS: &[Level] =
    &[Level { level: word(c::SOL_SOCKET), names: &[word(c::SO_REUSEPORT)] }];

/// The kernel, too, grants as much of what is asked for as it likes, so programs take any answer.
const SHARED_PORTS_AND_BUFFER_SIZES: &[Level] = &[Level {
    level: word(c::SOL_SOCKET),
    names: &[word(c::SO_REUSEPORT), word(c::SO_SNDBUF), word(c::SO_RCVBUF)],
}];

/// All of them. What is not on a list fails as it does on a kernel that does not know it.
pub(super) fn checked(policy: Policy) -> Vec<(c::c_long, Action)> {
    let kept = if policy.memory_cgroup { SHARED_PORTS } else { SHARED_PORTS_AND_BUFFER_SIZES };
    let buffered =
        |index| Action::Check(Check::WithoutBits { index, bits: DIRECT, errno: c::EINVAL });
    let one_of = |index, values, errno| Action::Check(Check::OneOf { index, values, errno });
    vec![
        #[cfg(target_arch = "x86_64")]
        (c::SYS_open, buffered(1)),
        (c::SYS_openat, buffered(2)),
        (
            c::SYS_fcntl,
            Action::Check(Check::Descriptor { commands: DESCRIPTOR_COMMANDS, flags: DIRECT }),
        ),
        (c::SYS_ioctl, one_of(1, DEVICE_COMMANDS, c::EPERM)),
        (c::SYS_prctl, one_of(0, PROCESS_OPTIONS, c::EINVAL)),
        (c::SYS_madvise, one_of(2, MEMORY_ADVICE, c::EINVAL)),
        // Advice may be ignored: 0 is "done".
        (c::SYS_fadvise64, one_of(3, FILE_ADVICE, 0)),
        // RWF_NOWAIT would tell which pages of a file that all share are in memory. Without flags, as
        // everybody else calls it.
        (c::SYS_preadv2, one_of(5, &[0], c::EOPNOTSUPP)),
        (c::SYS_setsockopt, Action::Check(Check::Options { kept, levels: SOCKET_OPTIONS })),
    ]
}

/// What init may and programs may not.
pub(super) fn of_init(of: Confined) -> [(c::c_long, Action); 2] {
    match of {
        Confined::Init => [(c::SYS_openat2, Action::Allow), (c::SYS_seccomp, Action::Allow)],
        Confined::Program => {
            [(c::SYS_openat2, Action::Errno(c::ENOSYS)), (c::SYS_seccomp, Action::Errno(c::EPERM))]
        }
    }
}
