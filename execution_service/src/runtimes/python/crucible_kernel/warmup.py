"""Small programs, run so that the first one of a user finds everything loaded, computed and, in
a fork, its own copy of the pages that every run writes to."""

import builtins
import os
import sys

from .event_loop import leave_no_trace
from .program import forget
from .session import Session

_FILE = "main.py"
# As little as every program does: each page that a fork writes to is one more that it has to itself.
_ORDINARY = ("print(end='')",)


def warm_up(streams, programs=_ORDINARY):
    """Runs `programs`, and leaves nothing that a program could find."""
    environment, before = dict(os.environ), set(vars(builtins))
    session = Session(streams, _FILE)
    for code in programs:
        session.run({"id": 0, "file": _FILE, "code": code, "args": [], "env": {}, "stdin": None})
    sys.modules["__main__"].__dict__.clear()
    forget(_FILE, os.path.join(os.getcwd(), _FILE))
    if "asyncio" in sys.modules:
        leave_no_trace(sys.modules["asyncio"])
    for name in set(vars(builtins)) - before:
        delattr(builtins, name)
    os.environ.clear()
    os.environ.update(environment)
