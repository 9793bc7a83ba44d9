//! System calls as a hostile program makes them: past every library. All arguments are numbers, null or
//! -1, so that a call which is let through either fails or does nothing that stays.

#![expect(unsafe_code)]

use std::ffi::CStr;
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, OwnedFd};

use libc as c;

use super::{Finding, Outcome, in_child, wait_for};
use crate::sandbox::linux::syscall::{self, Cloned};

/// A call that nobody inside may make.
struct Call {
    name: &'static str,
    number: c::c_long,
    arguments: [c::c_long; 5],
}

const fn call(name: &'static str, number: c::c_long, arguments: [c::c_long; 5]) -> Call {
    Call { name, number, arguments }
}

/// `TIOCSTI` of `asm-generic/ioctls.h`. The second spelling has a bit that the kernel does not look at.
const TIOCSTI: c::c_long = 0x5412;
const TIOCSTI_WITH_A_HIGH_BIT: c::c_long = 0x1_0000_5412;

/// A sample of every family that the filter refuses. Where there is no filter, most of them fail with
/// another number, or succeed.
#[rustfmt::skip]
const CALLS: &[Call] = &[
    call("mount", c::SYS_mount, [0; 5]),
    call("umount2", c::SYS_umount2, [0; 5]),
    call("pivot_root", c::SYS_pivot_root, [0; 5]),
    call("chroot", c::SYS_chroot, [0; 5]),
    call("open_tree", c::SYS_open_tree, [-1, 0, 0, 0, 0]),
    call("move_mount", c::SYS_move_mount, [-1, 0, -1, 0, 0]),
    call("fsopen", c::SYS_fsopen, [0; 5]),
    call("setns", c::SYS_setns, [-1, 0, 0, 0, 0]),
    call("bpf", c::SYS_bpf, [-1, 0, 0, 0, 0]),
    call("keyctl", c::SYS_keyctl, [0, -3, 0, 0, 0]),
    call("add_key", c::SYS_add_key, [0; 5]),
    call("request_key", c::SYS_request_key, [0; 5]),
    call("userfaultfd", c::SYS_userfaultfd, [1, 0, 0, 0, 0]),
    call("perf_event_open", c::SYS_perf_event_open, [0, 0, -1, -1, 0]),
    call("io_uring_setup", c::SYS_io_uring_setup, [1, 0, 0, 0, 0]),
    call("io_uring_enter", c::SYS_io_uring_enter, [-1, 0, 0, 0, 0]),
    call("open_by_handle_at", c::SYS_open_by_handle_at, [-1, 0, 0, 0, 0]),
    call("name_to_handle_at", c::SYS_name_to_handle_at, [-1, 0, 0, 0, 0]),
    // No segments would mean "unload"; so many are refused.
    call("kexec_load", c::SYS_kexec_load, [0, 1 << 40, 0, 0, 0]),
    call("init_module", c::SYS_init_module, [0; 5]),
    call("finit_module", c::SYS_finit_module, [-1, 0, 0, 0, 0]),
    call("delete_module", c::SYS_delete_module, [0; 5]),
    // Without its two magic numbers it does nothing.
    call("reboot", c::SYS_reboot, [0; 5]),
    call("swapon", c::SYS_swapon, [0; 5]),
    call("process_vm_readv", c::SYS_process_vm_readv, [1, 0, 0, 0, 0]),
    call("process_vm_writev", c::SYS_process_vm_writev, [1, 0, 0, 0, 0]),
    call("pidfd_getfd", c::SYS_pidfd_getfd, [-1, 0, 0, 0, 0]),
    call("kcmp", c::SYS_kcmp, [1, 1, 0, 0, 0]),
    call("syslog", c::SYS_syslog, [10, 0, 0, 0, 0]),
    call("fanotify_init", c::SYS_fanotify_init, [-1, -1, 0, 0, 0]),
    call("clock_settime", c::SYS_clock_settime, [0; 5]),
    call("clone3", c::SYS_clone3, [0; 5]),
    call("a call that does not exist", 9999, [0; 5]),
    call("TIOCSTI", c::SYS_ioctl, [0, TIOCSTI, 0, 0, 0]),
    call("TIOCSTI with a high bit", c::SYS_ioctl, [0, TIOCSTI_WITH_A_HIGH_BIT, 0, 0, 0]),
    call("a filter of packets", c::SYS_setsockopt, [-1, 1, c::SO_ATTACH_FILTER as _, 0, 0]),
    // Of nothing: where it is not refused, the kernel does not find it.
    call("a filter of one's own", c::SYS_prctl, [c::PR_SET_SECCOMP as _, 2, 0, 0, 0]),
    call("AF_NETLINK", c::SYS_socket, [c::AF_NETLINK as _, c::SOCK_DGRAM as _, 0, 0, 0]),
    call("AF_PACKET", c::SYS_socket, [c::AF_PACKET as _, c::SOCK_DGRAM as _, 0, 0, 0]),
    call("AF_VSOCK", c::SYS_socket, [c::AF_VSOCK as _, c::SOCK_STREAM as _, 0, 0, 0]),
    call("AF_ALG", c::SYS_socket, [c::AF_ALG as _, c::SOCK_SEQPACKET as _, 0, 0, 0]),
    call("a raw socket", c::SYS_socket, [c::AF_INET as _, c::SOCK_RAW as _, 6, 0, 0]),
];

/// Makes all of them, and those that would change or end whoever makes them.
pub fn attempts() -> Vec<Finding> {
    let finding = |attempt: &str, outcome| Finding { attempt: String::from(attempt), outcome };
    let mut findings: Vec<Finding> =
        CALLS.iter().map(|call| finding(call.name, Outcome::of(call.make()))).collect();
    let user_namespace = c::c_long::from(c::CLONE_NEWUSER);
    let unshare = call("unshare", c::SYS_unshare, [user_namespace, 0, 0, 0, 0]);
    let traced = call("ptrace", c::SYS_ptrace, [0; 5]);
    for call in [unshare, traced] {
        findings.push(finding(call.name, in_child(|| call.make())));
    }
    findings.push(finding("clone with CLONE_NEWUSER", Outcome::of(clone_with_namespace())));
    #[cfg(target_arch = "x86_64")]
    // Ways around a filter that knows the numbers of one architecture only.
    findings.extend([
        finding("a 32-bit call", in_child(thirty_two_bit)),
        finding("an x32 call", in_child(x32)),
    ]);
    findings
}

impl Call {
    fn make(&self) -> io::Result<()> {
        let [a, b, c, d, e] = self.arguments;
        // SAFETY: every `Call` is one of this file; none of their arguments is an address of this
        // process, so the kernel can neither read nor write its memory, and none of the calls maps,
        // unmaps or closes anything of it.
        let result = unsafe { libc::syscall(self.number, a, b, c, d, e, 0) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

fn clone_with_namespace() -> io::Result<()> {
    match syscall::clone_process(c::CLONE_NEWUSER)? {
        Cloned::Child => syscall::exit_now(0),
        Cloned::Parent(child) => wait_for(child.pid).map(drop),
    }
}

#[cfg(target_arch = "x86_64")]
fn thirty_two_bit() -> io::Result<()> {
    /// `getpid` of `arch/x86/entry/syscalls/syscall_32.tbl`.
    const GETPID: i32 = 20;
    // SAFETY: `getpid` touches no memory; the i386 entry preserves all registers but eax, and on
    // some kernels clears r8 to r11.
    unsafe {
        std::arch::asm!(
            "int 0x80",
            inlateout("eax") GETPID => _,
            lateout("r8") _, lateout("r9") _, lateout("r10") _, lateout("r11") _,
        );
    }
    Ok(())
}

#[cfg(target_arch = "x86_64")]
fn x32() -> io::Result<()> {
    const X32: c::c_long = 0x4000_0000;
    call("an x32 call", X32 | c::SYS_getpid, [0; 5]).make()
}

/// The flags of a descriptor, which need not be open.
pub fn descriptor_flags(fd: c::c_int) -> io::Result<c::c_int> {
    // SAFETY: F_GETFD takes integers only, and fails on a descriptor that is not open.
    let flags = unsafe { libc::fcntl(fd, c::F_GETFD) };
    if flags < 0 { Err(io::Error::last_os_error()) } else { Ok(flags) }
}

/// The entries of the environment that this process has in its memory.
pub fn environment() -> Vec<Vec<u8>> {
    unsafe extern "C" {
        static environ: *const *const c::c_char;
    }
    let mut entries = Vec::new();
    // SAFETY: `environ` is a list of C strings that ends with null (environ(7)); this process has one
    // thread, and nothing of ours changes the list.
    unsafe {
        let mut next = environ;
        while !next.is_null() && !(*next).is_null() {
            entries.push(CStr::from_ptr(*next).to_bytes().to_vec());
            next = next.add(1);
        }
    }
    entries
}

fn prctl(option: c::c_int, argument: c::c_long) -> io::Result<c::c_int> {
    // SAFETY: only called with options that take numbers and give one back.
    let value = unsafe { libc::prctl(option, argument, 0, 0, 0) };
    if value < 0 { Err(io::Error::last_os_error()) } else { Ok(value) }
}

/// Whether it is set.
pub fn no_new_privs() -> io::Result<String> {
    prctl(c::PR_GET_NO_NEW_PRIVS, 0).map(|set| String::from(if set == 1 { "set" } else { "unset" }))
}

/// 2 is a filter, by proc_pid_status(5).
pub fn seccomp_mode() -> io::Result<String> {
    prctl(c::PR_GET_SECCOMP, 0).map(|mode| mode.to_string())
}

/// The five sets, as far as something is in them.
pub fn capabilities() -> io::Result<String> {
    const LINUX_CAPABILITY_VERSION_3: u32 = 0x2008_0522;
    let header = [LINUX_CAPABILITY_VERSION_3, 0];
    // Two of: effective, permitted, inheritable.
    let mut data = [0_u32; 6];
    // SAFETY: version 3 reads two words and writes six, which is what both pointers lead to.
    let result = unsafe { libc::syscall(c::SYS_capget, header.as_ptr(), data.as_mut_ptr()) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    let whole = |index: usize| u64::from(data[index + 3]) << 32 | u64::from(data[index]);
    let holds = |option, argument| {
        move |capability: &c::c_long| {
            let arguments = if option == c::PR_CAP_AMBIENT { argument } else { *capability };
            // SAFETY: both options take numbers only; the third argument is for the ambient set.
            unsafe { libc::prctl(option, arguments, *capability, 0, 0) == 1 }
        }
    };
    let count = |option, argument| {
        u64::try_from((0..64).filter(holds(option, argument)).count()).unwrap_or_default()
    };
    let sets = [
        ("effective", whole(0)),
        ("permitted", whole(1)),
        ("inheritable", whole(2)),
        ("bounding", count(c::PR_CAPBSET_READ, 0)),
        ("ambient", count(c::PR_CAP_AMBIENT, c::c_long::from(c::PR_CAP_AMBIENT_IS_SET))),
    ];
    let some: Vec<&str> = sets.iter().filter(|(_, set)| *set != 0).map(|(name, _)| *name).collect();
    Ok(if some.is_empty() { String::from("none") } else { some.join(" ") })
}

/// Needs CAP_NET_ADMIN.
pub fn mark_socket() -> io::Result<()> {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0")?;
    nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::Mark, &1)
        .map_err(io::Error::from)
}

/// The names of the interfaces that could carry something. Some kernels make tunnels in every network
/// namespace; those are down.
pub fn interfaces_up() -> io::Result<String> {
    let socket = OwnedFd::from(std::net::UdpSocket::bind("127.0.0.1:0")?);
    /// More than any host should have; numbers are given in order.
    const MOST: c::c_int = 256;
    let mut names = Vec::new();
    for index in 1..=MOST {
        // SAFETY: all zeroes is a valid `ifreq`: integers, arrays and unions of them.
        let mut request: c::ifreq = unsafe { mem::zeroed() };
        request.ifr_ifru.ifru_ifindex = index;
        // SAFETY: both commands read and write one `ifreq`, which `request` is; the socket is open. The
        // kernel ends the name with a NUL, and the flags are read after a call that has set them.
        unsafe {
            let named = libc::ioctl(socket.as_raw_fd(), c::SIOCGIFNAME as _, &raw mut request) == 0;
            if !named || libc::ioctl(socket.as_raw_fd(), c::SIOCGIFFLAGS as _, &raw mut request) < 0
            {
                continue;
            }
            if c::c_int::from(request.ifr_ifru.ifru_flags) & c::IFF_UP != 0 {
                let name = CStr::from_ptr(request.ifr_name.as_ptr());
                names.push(name.to_string_lossy().into_owned());
            }
        }
    }
    Ok(if names.is_empty() { String::from("none") } else { names.join(" ") })
}
