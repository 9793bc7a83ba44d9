"""Warnings as the user's program would have shown them: each run shows its own, and none names our files."""

import os
import sys
import warnings

from .program import user_files

_KERNEL_FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep
# Every module remembers what it has shown under the filters of one version, and forgets it with the next.
_forget_shown = getattr(warnings, "_filters_mutated", None) or getattr(
    warnings, "_filters_mutated_lock_held", lambda: None
)
_getframe = sys._getframe
_current = ["main.py"]
_conditions = []


def begin(filename):
    """From here on warnings are those of the program `filename`, and none of them has been shown."""
    _current[0] = filename
    _forget_shown()


def leave_out(condition):
    """Warnings are not shown of whose text `condition` is true."""
    _conditions.append(condition)


def end():
    """The program has ended: what is warned of while its values are dropped is said of no line."""
    _current[0] = None


def install():
    """At boot."""
    show = warnings._showwarnmsg

    def _showwarnmsg(message):
        if _conditions and any(condition(str(message.message)) for condition in _conditions):
            return
        if message.filename.startswith(_KERNEL_FOLDER):
            message.filename, message.lineno = _place()
            message.line = None
        show(message)

    warnings._showwarnmsg = _showwarnmsg


def _place():
    frame, in_kernel = _getframe(2), False
    while frame is not None:
        filename = frame.f_code.co_filename
        if filename in user_files:
            # Called from the program, such as plt.show(). Otherwise the level that was asked for lies above the
            # program, where nothing is.
            return (filename, frame.f_lineno) if in_kernel else ("sys", 1)
        in_kernel = in_kernel or filename.startswith(_KERNEL_FOLDER)
        frame = frame.f_back
    if _current[0] is None:
        return "sys", 1
    # What the kernel does once the program has ended, or a value of it that was dropped just now.
    source = user_files.get(_current[0], "")
    return _current[0], max(1, source.rstrip().count("\n") + 1)
