//! The system calls that no safe crate offers, each as a safe function.

#![expect(unsafe_code)]

use std::ffi::CStr;
use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use crate::sandbox::backend::ProcessEnd;
use crate::sandbox::spec::Exit;

/// Turns the C convention (-1 and errno) into a result.
fn check(value: libc::c_long) -> io::Result<libc::c_long> {
    if value < 0 { Err(io::Error::last_os_error()) } else { Ok(value) }
}

/// Which of the two processes this is after [`clone_process`].
pub enum Cloned {
    /// The new one.
    Child,
    /// The old one.
    Parent(ChildProcess),
}

/// A child by number and by descriptor. The descriptor cannot come to mean another process.
pub struct ChildProcess {
    /// Its number in our pid namespace; valid until it is waited for.
    pub pid: libc::pid_t,
    /// Readable when it has ended.
    pub pidfd: OwnedFd,
}

/// `clone(2)` without a new stack, as `fork` with namespaces: the child goes on from here with a
/// copy of everything. Must be called while this process has one thread, or the child may find
/// locks held for ever; every caller is in a process that never starts a second one.
pub fn clone_process(namespaces: libc::c_int) -> io::Result<Cloned> {
    let mut pidfd: RawFd = -1;
    let flags = namespaces | libc::CLONE_PIDFD | libc::SIGCHLD;
    // SAFETY: with a null stack and without CLONE_VM the child runs on its own copy of our stack;
    // `pidfd` outlives the call and is where CLONE_PIDFD makes the kernel store a descriptor.
    let pid = check(unsafe {
        libc::syscall(
            libc::SYS_clone,
            libc::c_ulong::try_from(flags).unwrap_or_default(),
            std::ptr::null::<libc::c_void>(),
            &raw mut pidfd,
            std::ptr::null::<libc::c_void>(),
            std::ptr::null::<libc::c_void>(),
        )
    })?;
    cloned(pid, pidfd)
}

/// As [`clone_process`], with the child born inside the cgroup v2 directory `cgroup`.
pub fn clone_process_into(namespaces: libc::c_int, cgroup: BorrowedFd<'_>) -> io::Result<Cloned> {
    let mut pidfd: RawFd = -1;
    /// `include/uapi/linux/sched.h`: bit 33, outside of `c_int`.
    const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;
    // SAFETY: all zeroes is a valid `clone_args`: every field is an integer.
    let mut args: libc::clone_args = unsafe { mem::zeroed() };
    args.flags = u64::from((namespaces | libc::CLONE_PIDFD).cast_unsigned()) | CLONE_INTO_CGROUP;
    args.pidfd = (&raw mut pidfd) as u64;
    args.exit_signal = libc::SIGCHLD as u64;
    args.cgroup = cgroup.as_raw_fd() as u64;
    // SAFETY: `args` is initialised and its size is given; stack 0 without CLONE_VM copies our own;
    // `pidfd` outlives the call.
    let pid = check(unsafe {
        libc::syscall(libc::SYS_clone3, &raw const args, mem::size_of::<libc::clone_args>())
    })?;
    cloned(pid, pidfd)
}

fn cloned(pid: libc::c_long, pidfd: RawFd) -> io::Result<Cloned> {
    if pid == 0 {
        return Ok(Cloned::Child);
    }
    let pid = libc::pid_t::try_from(pid).map_err(io::Error::other)?;
    // SAFETY: the kernel has just made this descriptor for us and nobody else knows it.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    Ok(Cloned::Parent(ChildProcess { pid, pidfd }))
}

/// Sends `signal` to exactly the process behind `pidfd`.
pub fn pidfd_send_signal(pidfd: BorrowedFd<'_>, signal: libc::c_int) -> io::Result<()> {
    // SAFETY: passes integers and a null `siginfo_t`, which means "as kill(2) would fill it".
    check(unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            signal,
            std::ptr::null::<libc::c_void>(),
            0,
        )
    })?;
    Ok(())
}

/// A child that has ended.
pub struct Reaped {
    /// Which.
    pub pid: libc::pid_t,
    /// How, and what it and the children that it had waited for have used.
    pub end: ProcessEnd,
}

/// Takes the status of one ended child (`pid`, or any with -1); `None` when there is none now.
pub fn reap(pid: libc::pid_t) -> io::Result<Option<Reaped>> {
    let mut status: libc::c_int = 0;
    // SAFETY: all zeroes is a valid `rusage`: it has only integers.
    let mut usage: libc::rusage = unsafe { mem::zeroed() };
    // SAFETY: both pointers are to live, writable variables of the right type.
    let found =
        unsafe { libc::wait4(pid, &raw mut status, libc::WNOHANG | libc::__WALL, &raw mut usage) };
    match found {
        0 => Ok(None),
        -1 => {
            let error = io::Error::last_os_error();
            if error.raw_os_error() == Some(libc::ECHILD) { Ok(None) } else { Err(error) }
        }
        pid => {
            let cpu = duration(usage.ru_utime) + duration(usage.ru_stime);
            // In units of 1024 bytes, by getrusage(2).
            let peak_memory_bytes = u64::try_from(usage.ru_maxrss).unwrap_or_default() * 1024;
            let end = ProcessEnd { exit: exit_of(status), cpu, peak_memory_bytes };
            Ok(Some(Reaped { pid, end }))
        }
    }
}

/// What a raw status of `wait4` says of a process that has ended.
pub fn exit_of(status: libc::c_int) -> Exit {
    if libc::WIFSIGNALED(status) {
        Exit::Signal(libc::WTERMSIG(status))
    } else {
        Exit::Code(libc::WEXITSTATUS(status))
    }
}

fn duration(time: libc::timeval) -> Duration {
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let micros = u64::try_from(time.tv_usec).unwrap_or_default();
    Duration::from_secs(seconds) + Duration::from_micros(micros)
}

/// Adds attributes (`MOUNT_ATTR_*`) to the mount at `path`, and to those below it if `recursive`.
pub fn mount_setattr(path: &CStr, recursive: bool, attributes: u64) -> io::Result<()> {
    /// `struct mount_attr` of `include/uapi/linux/mount.h`, as of its first version.
    #[repr(C)]
    struct MountAttr {
        set: u64,
        clear: u64,
        propagation: u64,
        userns_fd: u64,
    }
    let attr = MountAttr { set: attributes, clear: 0, propagation: 0, userns_fd: 0 };
    let flags = if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: `path` is a C string, `attr` is initialised and its size is given.
    check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            path.as_ptr(),
            flags,
            &raw const attr,
            mem::size_of::<MountAttr>(),
        )
    })?;
    Ok(())
}

/// Makes `fds` the descriptors 0, 1, 2, … of this process, and marks all above them to be closed by
/// the exec that must follow.
pub fn become_descriptors(fds: &[OwnedFd]) -> io::Result<()> {
    /// Each is first copied above this, so that none is overwritten before its turn.
    const PARKING: RawFd = 16;
    let mut parked = Vec::with_capacity(fds.len());
    for fd in fds {
        parked.push(nix::fcntl::fcntl(fd, nix::fcntl::FcntlArg::F_DUPFD_CLOEXEC(PARKING))?);
    }
    for (from, to) in parked.iter().zip(0..) {
        // SAFETY: `from` is open. What was at `to` may have an owner in this process, but the
        // process is about to become another program and runs no destructor before that.
        check(libc::c_long::from(unsafe { libc::dup2(*from, to) }))?;
    }
    let first = libc::c_uint::try_from(fds.len()).map_err(io::Error::other)?;
    // SAFETY: only sets a flag on descriptors.
    check(unsafe {
        libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC)
    })?;
    Ok(())
}

/// `/dev/null`, open for both.
pub fn null_device() -> io::Result<OwnedFd> {
    let flags = nix::fcntl::OFlag::O_RDWR | nix::fcntl::OFlag::O_CLOEXEC;
    nix::fcntl::open(c"/dev/null", flags, nix::sys::stat::Mode::empty()).map_err(io::Error::from)
}

/// Closes every descriptor but those of `keep`, and puts `/dev/null` at 0, 1 and 2. For a process that has
/// just been cloned and goes on with nothing of its parent's but `keep`.
pub fn keep_only<const N: usize>(keep: [OwnedFd; N]) -> io::Result<[OwnedFd; N]> {
    let null = null_device()?;
    let standard = [null.try_clone()?, null.try_clone()?, null];
    let descriptors: Vec<OwnedFd> = standard.into_iter().chain(keep).collect();
    become_descriptors(&descriptors)?;
    let above = libc::c_uint::try_from(descriptors.len()).map_err(io::Error::other)?;
    mem::forget(descriptors);
    // SAFETY: by the caller's contract nothing above is used again, and nothing is dropped.
    unsafe { libc::syscall(libc::SYS_close_range, above, libc::c_uint::MAX, 0) };
    let mut place = 2;
    // SAFETY: each was made just above, and nobody else owns it.
    let kept = [(); N].map(|()| unsafe {
        place += 1;
        OwnedFd::from_raw_fd(place)
    });
    for fd in &kept {
        nix::fcntl::fcntl(fd, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC))?;
    }
    Ok(kept)
}

/// Gives `signal` its default action.
pub fn default_signal(signal: nix::sys::signal::Signal) -> io::Result<()> {
    // SAFETY: the default action runs no code of ours.
    unsafe { nix::sys::signal::signal(signal, nix::sys::signal::SigHandler::SigDfl) }?;
    Ok(())
}

/// Empties the bounding set but for `kept`: no exec can give any other capability any more.
pub fn limit_bounding_set(kept: &[libc::c_int]) -> io::Result<()> {
    for capability in (0..64).filter(|capability| !kept.contains(capability)) {
        // SAFETY: PR_CAPBSET_DROP takes integers only. EINVAL marks the first number that this
        // kernel does not know.
        let result = unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) };
        if result < 0 {
            let error = io::Error::last_os_error();
            if error.raw_os_error() == Some(libc::EINVAL) {
                break;
            }
            return Err(error);
        }
    }
    Ok(())
}

/// Makes these the permitted and the effective capabilities; none are inheritable.
pub fn set_capabilities(permitted: u64, effective: u64) -> io::Result<()> {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: libc::c_int,
    }
    #[repr(C)]
    struct Data {
        effective: u32,
        permitted: u32,
        inheritable: u32,
    }
    const LINUX_CAPABILITY_VERSION_3: u32 = 0x2008_0522;
    let half = |shift: u32| {
        let bits = |set: u64| u32::try_from((set >> shift) & 0xFFFF_FFFF).unwrap_or_default();
        Data { effective: bits(effective), permitted: bits(permitted), inheritable: 0 }
    };
    let header = Header { version: LINUX_CAPABILITY_VERSION_3, pid: 0 };
    let data = [half(0), half(32)];
    // SAFETY: version 3 reads one header and two data structs, which is what both pointers lead to.
    check(unsafe { libc::syscall(libc::SYS_capset, &raw const header, data.as_ptr()) })?;
    Ok(())
}

/// Keeps the permitted capabilities over the next change of uid.
pub fn keep_capabilities() -> io::Result<()> {
    // SAFETY: takes integers only.
    check(libc::c_long::from(unsafe { libc::prctl(libc::PR_SET_KEEPCAPS, 1, 0, 0, 0) }))?;
    Ok(())
}

/// Puts a seccomp filter in force for this thread and all that it starts.
pub fn install_seccomp(program: &[libc::sock_filter]) -> io::Result<()> {
    let length = libc::c_ushort::try_from(program.len()).map_err(io::Error::other)?;
    let program = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut() };
    // SAFETY: `program` describes a live slice of `length` instructions; the kernel copies it and
    // writes nothing.
    check(unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program)
    })?;
    Ok(())
}

/// Brings up the loopback interface of the network namespace we are in.
pub fn loopback_up() -> io::Result<()> {
    let socket = nix::sys::socket::socket(
        nix::sys::socket::AddressFamily::Inet,
        nix::sys::socket::SockType::Datagram,
        nix::sys::socket::SockFlag::SOCK_CLOEXEC,
        None,
    )?;
    // SAFETY: all zeroes is a valid `ifreq`: integers, arrays and unions of them.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    request.ifr_name[0] = b'l'.cast_signed();
    request.ifr_name[1] = b'o'.cast_signed();
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: SIOCSIFFLAGS reads an `ifreq`, which `request` is; the socket is open.
    let result = unsafe {
        libc::ioctl(socket.as_fd().as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw const request)
    };
    check(libc::c_long::from(result))?;
    Ok(())
}

/// Overwrites this process's command line and initial environment, so that neither `/proc` nor a
/// look into its memory shows what the service was started with. Nothing may read
/// `std::env::args` or `std::env::var` afterwards: they would find empty strings.
pub fn wipe_arguments_and_environment() -> io::Result<()> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The second field is in brackets and may hold anything; the rest is counted from behind it.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let field = |number: usize| -> Option<usize> {
        rest.split_ascii_whitespace().nth(number - 3).and_then(|text| text.parse().ok())
    };
    // proc_pid_stat(5): 48 arg_start, 49 arg_end, 50 env_start, 51 env_end.
    for (start, end) in [(field(48), field(49)), (field(50), field(51))] {
        if let (Some(start), Some(end)) = (start, end)
            && start != 0
            && end > start
        {
            let length = end - start;
            // SAFETY: the kernel says that [start, end) is where it laid this process's own
            // argument (environment) strings, on its writable stack; they stay NUL-terminated, as
            // every byte becomes NUL, and this process has one thread.
            unsafe { std::ptr::write_bytes(start as *mut u8, 0, length) };
        }
    }
    Ok(())
}

/// Sets one resource limit, soft and hard alike.
pub fn set_rlimit(resource: nix::sys::resource::Resource, value: u64) -> io::Result<()> {
    nix::sys::resource::setrlimit(resource, value, value).map_err(io::Error::from)
}

/// `fork`, for a process with one thread.
pub fn fork() -> io::Result<Option<libc::pid_t>> {
    // SAFETY: every caller has one thread, so the child finds no lock held by somebody who does not
    // exist in it.
    match unsafe { nix::unistd::fork() }? {
        nix::unistd::ForkResult::Child => Ok(None),
        nix::unistd::ForkResult::Parent { child } => Ok(Some(child.as_raw())),
    }
}

/// Ends this process at once: no destructors, no exit handlers, no flushing of what a parent left
/// in our copy of its buffers.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` never returns and touches no memory.
    unsafe { libc::_exit(code) }
}

/// Opens `path` below `dir` and nowhere else: no `..`, no symbolic links, no magic links.
pub fn open_beneath(
    dir: BorrowedFd<'_>,
    path: &CStr,
    flags: libc::c_int,
    mode: libc::mode_t,
) -> io::Result<OwnedFd> {
    // SAFETY: all zeroes is a valid `open_how`: every field is an integer.
    let mut how: libc::open_how = unsafe { mem::zeroed() };
    how.flags = u64::try_from(flags | libc::O_CLOEXEC).unwrap_or_default();
    how.mode = u64::from(mode);
    how.resolve = libc::RESOLVE_BENEATH | libc::RESOLVE_NO_SYMLINKS | libc::RESOLVE_NO_MAGICLINKS;
    // SAFETY: `path` is a C string, `how` is initialised and its size is given.
    let fd = check(unsafe {
        libc::syscall(
            libc::SYS_openat2,
            dir.as_raw_fd(),
            path.as_ptr(),
            &raw const how,
            mem::size_of::<libc::open_how>(),
        )
    })?;
    let fd = RawFd::try_from(fd).map_err(io::Error::other)?;
    // SAFETY: the kernel has just made this descriptor for us and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Puts a descriptor under the eyes of the runtime.
pub fn register(fd: OwnedFd) -> io::Result<tokio::io::unix::AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` gives the same open descriptor for as long as it lives, and `AsyncFd`
    // owns it from here on.
    unsafe { tokio::io::unix::AsyncFd::register(fd) }.map_err(io::Error::from)
}
