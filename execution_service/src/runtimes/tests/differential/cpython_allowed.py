"""Tests of CPython that pass outside and not in a sandbox, with the reason."""

_NO_ATTRIBUTES = "files of a workspace have no extended attributes"
_NO_FSYNC = "nothing of a sandbox outlives the machine: fsync() is answered at once"
_NO_SERVICES = "a sandbox has no /etc/services"
_NO_IPV6 = "a sandbox without a network has no IPv6, and of interfaces only lo"
_READ_ONLY = "to remove a file that is not there fails in another way where the library is read-only"
_ONE_USER = "a sandbox knows its own user only"
_NO_CGROUPS = "where no cgroup counts memory, what could not be counted is refused, and stacks of threads are"

# Beginnings of names → the reason.
ALLOWED = {
    "test.test_os.ExtendedAttributeTests.": _NO_ATTRIBUTES,
    "test.test_shutil.TestCopy.test_copy2_xattr": _NO_ATTRIBUTES,
    "test.test_shutil.TestCopy.test_copyxattr": _NO_ATTRIBUTES,
    "test.test_os.TestInvalidFD.test_fdatasync": _NO_FSYNC,
    "test.test_os.TestInvalidFD.test_fsync": _NO_FSYNC,
    "test.test_os.FDInheritanceTests.test_openpty": "a sandbox has no pseudo-terminals for programs to make",
    "test.test_os.MemfdCreateTests.": _NO_CGROUPS,
    "test.test_queue.CSimpleQueueTest.test_many_threads": _NO_CGROUPS,
    "test.test_os.ProgramPriorityTests.": "the priority of a sandbox is not its own",
    "test.test_posix.PosixTester.test_preadv_flags": "polled reads are for disks, and a workspace is in memory",
    "test.test_socket.GeneralModuleTests.testGetServBy": _NO_SERVICES,
    "test.test_socket.GeneralModuleTests.testGetaddrinfo": _NO_SERVICES,
    "test.test_socket.GeneralModuleTests.testInterfaceNameIndex": _NO_IPV6,
    "test.test_socket.GeneralModuleTests.test_getaddrinfo_ipv6": _NO_IPV6,
    "test.test_socket.GeneralModuleTests.test_getnameinfo_ipv6": _NO_IPV6,
    "test.test_os.ChownFileTests.test_chown_without_permission": _ONE_USER,
    "test.test_runpy.RunModuleTestCase.": _READ_ONLY,
    "test.test_shutil.TestArchives.test_make_archive_owner_group": _ONE_USER,
    "test.test_shutil.TestArchives.test_tarfile_root_owner": _ONE_USER,
}
