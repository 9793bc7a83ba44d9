"""SIGINT: the worker's way to end a run that has used up its time."""

import signal

_SIGINT = signal.SIGINT
_set_handler = signal.signal
_set_timer = signal.setitimer
_REAL_TIMER = signal.ITIMER_REAL


class Interrupts:
    """Turns SIGINT into KeyboardInterrupt while user code runs, and drops it at any other time.

    A handler function instead of SIG_IGN between runs: an ignored signal would be inherited by
    every program that the user starts.
    """

    def __init__(self):
        self.received = False
        self._armed = False
        self._holds = 0
        self._handler = _Handler(self._on_signal)

    def arm(self):
        """Before the user's code: our handler again, whatever the last run had installed."""
        _set_timer(_REAL_TIMER, 0)
        _set_handler(_SIGINT, self._handler)
        self.received = False
        self._armed = True

    def disarm(self):
        """After the user's code. A pending alarm() would strike the kernel, so it goes as well."""
        self._armed = False
        _set_timer(_REAL_TIMER, 0)

    def install(self):
        """At boot: from here on a SIGINT no longer ends the process. To a program our handler is Python's own."""
        signal.default_int_handler = self._handler
        _set_handler(_SIGINT, self._handler)

    def replace(self, handler):
        """Hands SIGINT to `handler` for the rest of the process's life."""
        _set_handler(_SIGINT, handler)

    def held(self):
        """Context in which an interrupt is kept back until the end."""
        return _Held(self)

    def _on_signal(self, _signum, _frame):
        if not self._armed:
            return
        self.received = True
        if not self._holds:
            raise KeyboardInterrupt


class _Handler:
    """Of SIGINT, and looks as Python's."""

    __name__ = "default_int_handler"
    __module__ = "_signal"

    def __init__(self, on_signal):
        self.__call = on_signal
        # In the body of a class it would be the name of that.
        self.__qualname__ = self.__name__

    def __call__(self, signum, frame):
        self.__call(signum, frame)

    def __repr__(self):
        return "<built-in function default_int_handler>"


def leave_to_us(runners):
    """When `asyncio.runners` has been imported: it takes Python's handler away, and one that ends nothing at once,
    such as a loop that awaits nothing, takes its place."""

    class signals:
        SIGINT, default_int_handler = _SIGINT, None

        @staticmethod
        def getsignal(_signum):
            return _SIGINT

    runners.signal = signals


class _Held:
    def __init__(self, owner):
        self._owner = owner
        self._before = False

    def __enter__(self):
        self._before = self._owner.received
        self._owner._holds += 1

    def __exit__(self, *_exception):
        owner = self._owner
        owner._holds -= 1
        if owner._armed and owner.received and not self._before:
            raise KeyboardInterrupt


interrupts = Interrupts()
