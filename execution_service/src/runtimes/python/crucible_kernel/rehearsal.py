"""Programs of nobody's, run so that the first one of a user finds everything loaded, computed and, in
a fork, its own copy of the pages that every run writes to."""

import builtins
import gc
import os
import sys

from .program import forget
from .session import Session

_FILE = "main.py"
_ORDINARY = (
    "import sys\nnames = {str(n): [n, n / 2] for n in range(50)}\n"
    "def total(values):\n    return sum(len(value) for value in values)\n"
    "class Thing:\n    pass\ntext = f'{total(names.values())} {Thing()!r}'.encode().decode()\n"
    "print(end='', file=sys.stdout)\nprint(end='', file=sys.stderr)",
)


def rehearse(streams, programs=_ORDINARY):
    """Runs `programs`, and leaves nothing that a program could find."""
    environment, before = dict(os.environ), set(vars(builtins))
    session = Session(streams, _FILE)
    for code in programs:
        session.run({"id": 0, "file": _FILE, "code": code, "args": [], "env": {}, "stdin": None})
    sys.modules["__main__"].__dict__.clear()
    forget(_FILE)
    for name in set(vars(builtins)) - before:
        delattr(builtins, name)
    os.environ.clear()
    os.environ.update(environment)
    gc.collect()
