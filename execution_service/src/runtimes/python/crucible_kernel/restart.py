"""Variables that the interpreter reads only at its start: a request with one of them gets an interpreter that has
started with it, in the place of this one, which has run nothing yet.
"""

import json
import os
import sys

_KERNEL = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "kernel.py")
_READ_AT_START = frozenset((
    "PYTHONASYNCIODEBUG", "PYTHONDEBUG", "PYTHONDEVMODE", "PYTHONFAULTHANDLER", "PYTHONHASHSEED",
    "PYTHONINTMAXSTRDIGITS", "PYTHONMALLOC", "PYTHONNODEBUGRANGES", "PYTHONOPTIMIZE",
    "PYTHONTRACEMALLOC", "PYTHONVERBOSE", "PYTHONWARNDEFAULTENCODING", "PYTHONWARNINGS",
))


def is_needed(request):
    """Whether `request` asks for what this interpreter can no longer become."""
    variables = request["env"]
    return bool(variables) and any(name in variables for name in _READ_AT_START)


def restart(channel, request):
    """Becomes a fresh interpreter, which serves `request` first. Returns where the system refuses."""
    import tempfile

    channel.hand_over()  # first: what is opened now has other numbers than they
    try:
        with tempfile.TemporaryFile() as file:
            file.write(json.dumps(request).encode("utf-8", "surrogatepass") + b"\n")
            file.seek(0)
            first = os.dup(file.fileno())
        os.set_inheritable(first, True)
        # The others are for the program and what it starts: what steers a loader must not steer this start.
        variables = {name: value for name, value in request["env"].items() if name in _READ_AT_START}
        # Not isolated, or it would not look at the variables; the user's own site packages stay out as ever.
        arguments = [sys.executable, "-s", "-X", "utf8", _KERNEL, str(first)]
        os.execve(sys.executable, arguments, {**os.environ, **variables})
    except OSError:
        channel.take_back()
