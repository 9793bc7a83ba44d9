"""Descriptors that belong to the kernel and must not reach the user's child processes."""

import fcntl
import os
from functools import partial

# High numbers, so that the user's first open() is 3 as in any program and a loop over the low
# descriptors misses ours; below 1024, where select() ends. Smaller ones for a tight RLIMIT_NOFILE.
_PREFERRED_FLOORS = (900, 200, 40, 10)


def keep_private(fd):
    """Copies `fd` to a high close-on-exec descriptor, which forked children drop as well."""
    for floor in _PREFERRED_FLOORS:
        try:
            private = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, floor)
        except OSError:  # EINVAL: the floor is above RLIMIT_NOFILE
            continue
        _close_in_child(private)
        return private
    raise OSError("no free descriptor for the kernel")


def _close_in_child(fd):
    # A forked child that could still write to the channel would answer in its parent's name.
    #
    # Built-in functions only: in a function of ours a signal could strike, or memory for its frame be
    # missing, and the interpreter would print our lines on the user's stderr. An iterator, because the
    # number may belong to the child's own file when that forks in turn; closerange() ignores EBADF.
    closing = map(os.closerange, (fd,), (fd + 1,))
    os.register_at_fork(after_in_child=partial(any, closing))
