"""Descriptors that belong to the kernel and must not reach the user's child processes."""

import fcntl
import os

# High numbers, so that the user's first open() is 3 as in any program and a loop over the low
# descriptors misses ours; below 1024, where select() ends. Smaller ones for a tight RLIMIT_NOFILE.
_PREFERRED_FLOORS = (900, 200, 40, 10)

_private = set()


def keep_private(fd):
    """Copies `fd` to a high close-on-exec descriptor, which forked children drop as well."""
    for floor in _PREFERRED_FLOORS:
        try:
            private = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, floor)
        except OSError:  # EINVAL: the floor is above RLIMIT_NOFILE
            continue
        _private.add(private)
        return private
    raise OSError("no free descriptor for the kernel")


def _closing_in_child(close=os.close):
    # A forked child that could still write to the channel would answer in its parent's name.
    while True:
        try:
            yield
            while _private:
                try:
                    close(_private.pop())
                except OSError:  # the user's code has closed it already
                    pass
        except MemoryError:  # is_ours() still keeps the child from answering
            pass


# A generator that has been started: it has its frame already. Calling a function would need memory for
# one, and a child that has none left would print a line of ours on the user's stderr.
_closer = _closing_in_child()
next(_closer)
os.register_at_fork(after_in_child=_closer.__next__)
