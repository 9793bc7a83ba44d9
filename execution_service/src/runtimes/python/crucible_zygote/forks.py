"""The zygote's life: load, then fork on request and tell how each child has ended."""

import os
import select
import signal

from .libraries import load
from .reseed import reseed
from .sandbox import Sandboxes
from .wire import Wire

# The zygote never has as many: a few of its own, and the high numbers of crucible_kernel.descriptors.
_NO_DESCRIPTOR_ABOVE = 4096


def wait_to_be_forked(fd, process, libraries):
    """Serves the spawner on `fd`. Returns in each child, with its descriptors 0 to 4 in place.

    `process` is a descriptor of our own folder in /proc, which we have no other way to.
    """
    wire = Wire(fd)
    sandboxes = Sandboxes(wire.receive_filter())
    try:
        report = load(libraries, process)
        os.close(process)
    except BaseException as error:  # an operator's library can do anything
        wire.failed("%s: %s" % (type(error).__name__, error))
        os._exit(1)
    wakeup, poll = _wake_on_child_ends(), select.poll()
    for source in (wire, wakeup):
        poll.register(source, select.POLLIN)
    wire.ready(report)
    while True:
        ready = [source for source, _event in poll.poll()]
        if wakeup in ready:
            os.read(wakeup, 4096)
            _tell_ends(wire)
        if wire.fileno() in ready:
            request = wire.receive_fork()
            if request is None:
                os._exit(0)
            if _fork(wire, sandboxes, *request):
                return


def _wake_on_child_ends():
    reader, writer = os.pipe()
    for end in (reader, writer):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _signum, _frame: None)
    return reader


def _tell_ends(wire):
    while True:
        try:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        wire.ended(pid, status, int((usage.ru_utime + usage.ru_stime) * 1e6), usage.ru_maxrss)


def _fork(wire, sandboxes, request, open_files, niceness, descriptors):
    """Whether this is the child."""
    try:
        pid = sandboxes.fork_into(descriptors[0])
    except OSError as error:
        wire.refused(request, error.errno)
        pid = None
    if pid == 0:
        try:
            os.nice(niceness)
            _become_kernel(wire, sandboxes, request, open_files, descriptors)
        except OSError as error:
            wire.refused(request, error.errno)
            os._exit(1)
        return True
    if pid is not None:
        wire.forked(request, pid)
    for descriptor in descriptors:
        os.close(descriptor)
    return False


def _become_kernel(wire, sandboxes, request, open_files, descriptors):
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    init, stdout, stderr, requests, messages = descriptors[:5]
    sandboxes.enter(init, descriptors[5:], open_files, os.environ["HOME"])
    wire.joined(request, os.getpid())
    wire.detach()
    null = os.open(os.devnull, os.O_RDONLY)
    # All came in above 3, where the spawner's socket is. What has become number 4 must not be overwritten
    # before its turn.
    sources = [os.dup(source) for source in (null, stdout, stderr, requests, messages)]
    for target, source in enumerate(sources):
        os.dup2(source, target)
    os.closerange(len(sources), _NO_DESCRIPTOR_ABOVE)
    reseed()
