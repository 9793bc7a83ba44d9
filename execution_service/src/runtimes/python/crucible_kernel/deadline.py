"""A bound on the time that our own look at a user's objects takes."""

import signal
import threading
import time

from .interrupts import interrupts

_SIGALRM, _REAL_TIMER = signal.SIGALRM, signal.ITIMER_REAL
_set_handler, _get_handler, _set_timer = signal.signal, signal.getsignal, signal.setitimer
_current_thread, _main_thread = threading.current_thread, threading.main_thread
_now = time.monotonic
# Whatever catches the first one meets the next.
_AGAIN_SECONDS = 0.05


class _TooLong(BaseException):
    """Not an Exception: what we look at may catch those."""


def within(seconds, work, *arguments):
    """`work(*arguments)`, or None if it raises or takes longer. Only an interrupt of the run is raised.

    A timer belongs to the main thread: in others the work is not done. The program's own timer goes on after it.
    """
    if _current_thread() is not _main_thread() or _get_handler(_SIGALRM) is None:
        return None
    running = True

    def ring(_signum, _frame):
        if running:
            raise _TooLong

    began = _now()
    handler = _set_handler(_SIGALRM, ring)
    left, interval = _set_timer(_REAL_TIMER, seconds, _AGAIN_SECONDS)
    try:
        try:
            return work(*arguments)
        finally:
            running = False
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and interrupts.received:
            raise
        return None
    finally:
        _set_timer(_REAL_TIMER, 0)
        _set_handler(_SIGALRM, handler)  # which ours has been called before, if it was to be
        if left:
            _set_timer(_REAL_TIMER, max(left - (_now() - began), 1e-6), interval)
