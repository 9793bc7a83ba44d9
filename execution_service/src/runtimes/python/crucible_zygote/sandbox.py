"""A child's way into a sandbox that is there already, and out of all privilege.

The order is that of `sandbox/linux/confine/mod.rs`. Every step must succeed: a child that is half confined
ends before it has heard of a user.
"""

import ctypes
import os
import resource

_NEWNS, _NEWCGROUP, _NEWUTS, _NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
_NEWUSER, _NEWPID, _NEWNET = 0x10000000, 0x20000000, 0x40000000
_ALL_BUT_PID = _NEWUSER | _NEWNS | _NEWNET | _NEWIPC | _NEWUTS | _NEWCGROUP
# include/uapi/linux/prctl.h, capability.h
_PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 4, 22, 24, 38
_SECCOMP_MODE_FILTER = 2
_CAPABILITY_VERSION_3 = 0x20080522
_EINVAL = 22
_MOST_CAPABILITIES = 64

# The uid and gid of user code inside of every sandbox.
_SANDBOX_ID = 1000
_INIT = 1

_libc = ctypes.CDLL(None, use_errno=True)
_libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
_LIMITS = {getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")}
# Init's own is higher: see ProcessLimits in sandbox/linux/confine/process_limits.rs.
_LIMITS.discard(resource.RLIMIT_NOFILE)


class _Filter(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = [("length", ctypes.c_ushort), ("program", ctypes.c_void_p)]


class Sandboxes:
    """Where children are born. Made once, so that a child has nothing left to prepare."""

    def __init__(self, seccomp_program):
        self._program = ctypes.create_string_buffer(seccomp_program, len(seccomp_program))
        # struct sock_filter has eight bytes.
        self._filter = _Filter(len(seccomp_program) // 8, ctypes.addressof(self._program))
        self._no_capabilities = (ctypes.c_uint32 * 6)()
        self._header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)

    def fork_into(self, init):
        """os.fork(), with the child born in the pid namespace of the process behind pidfd `init`."""
        # Lasts until the next one: the way back would need rights over the host's own namespace.
        _check("setns", _libc.setns(init, _NEWPID))
        return os.fork()

    def enter(self, init, cgroup_files, open_files, directory):
        """In the child: joins everything else, and gives up every right."""
        os.setsid()
        for file in cgroup_files:
            os.write(file, b"0")
        _check("setns", _libc.setns(init, _ALL_BUT_PID))
        os.setresgid(_SANDBOX_ID, _SANDBOX_ID, _SANDBOX_ID)
        os.setresuid(_SANDBOX_ID, _SANDBOX_ID, _SANDBOX_ID)
        for limit in _LIMITS:
            resource.setrlimit(limit, resource.prlimit(_INIT, limit))
        resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files))
        self._drop_capabilities()
        _check("no_new_privs", _prctl(_PR_SET_NO_NEW_PRIVS, 1))
        # Cleared by the change of uid; an exec would set it again, and programs look at their /proc.
        _check("dumpable", _prctl(_PR_SET_DUMPABLE, 1))
        program = ctypes.addressof(self._filter)
        _check("seccomp", _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, program))
        os.chdir(directory)

    def _drop_capabilities(self):
        for capability in range(_MOST_CAPABILITIES):
            if _prctl(_PR_CAPBSET_DROP, capability) < 0:
                if ctypes.get_errno() == _EINVAL:  # the first number that this kernel does not know
                    break
                _check("bounding set", -1)
        _check("capset", _libc.capset(self._header, self._no_capabilities))


def _prctl(option, second=0, third=0):
    return _libc.prctl(option, second, third, 0, 0)


def _check(step, result):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, "%s: %s" % (step, os.strerror(number)))
