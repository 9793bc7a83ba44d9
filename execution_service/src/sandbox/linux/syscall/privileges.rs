//! What this process and its children may do.

#![expect(unsafe_code)]

use std::io;

use super::check;

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

/// Sets one resource limit, soft and hard alike.
pub fn set_rlimit(resource: nix::sys::resource::Resource, value: u64) -> io::Result<()> {
    nix::sys::resource::setrlimit(resource, value, value).map_err(io::Error::from)
}
