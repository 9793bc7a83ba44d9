"""Tracebacks as the user's own program would have printed them: no frame of the kernel."""

import os
import sys
import traceback

from .program import user_files
from .suggestions import add_suggestions

_KERNEL_FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep
# Beginnings of the names of files whose frames nobody is shown.
_hidden = (_KERNEL_FOLDER,)
_KEPT_BYTES = 64 * 1024
# Bound at boot: a run that has used up its descriptors can import nothing any more.
_TracebackException = traceback.TracebackException
_setrecursionlimit, _getrecursionlimit = sys.setrecursionlimit, sys.getrecursionlimit


def hide(folder):
    """From here on the frames of the files in `folder` are as little shown as the kernel's."""
    global _hidden
    if folder not in _hidden:
        _hidden += (folder,)


def strip(error):
    """Removes the kernel's frames from `error` and from what it is chained to, in place."""
    error.__traceback__ = _from_first_user_frame(error.__traceback__)
    strip_kernel(error)


def strip_kernel(error):
    """The same for an error of a thread, which starts in the frames of the library, not in ours."""
    seen = set()
    chained = [error]
    while chained:
        link = chained.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        link.__traceback__ = _without_kernel(link.__traceback__)
        chained += [link.__cause__, link.__context__]


def render(error):
    """Returns the text that Python prints for a stripped `error`."""
    # The run may have lowered the limit below what formatting needs; a higher one stays.
    _setrecursionlimit(max(_getrecursionlimit(), 1000))
    return "".join(describe(error).format())


def describe(error):
    """The interpreter's own account of `error`, with all its words."""
    described = _TracebackException(type(error), error, error.__traceback__, compact=True)
    add_suggestions(described, error)
    return described


def shorten(text):
    """Keeps head and tail of a text so that it fits into a diagnostic (64 KiB)."""
    if len(text) <= _KEPT_BYTES:
        return text
    half = _KEPT_BYTES // 2
    return "%s\n… %d characters left out …\n%s" % (text[:half], len(text) - 2 * half, text[-half:])


def _from_first_user_frame(trace):
    while trace is not None and trace.tb_frame.f_code.co_filename not in user_files:
        trace = trace.tb_next
    return trace


def _without_kernel(trace):
    kept = []
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith(_hidden):
            kept.append(trace)
        trace = trace.tb_next
    for entry, following in zip(kept, kept[1:] + [None]):
        entry.tb_next = following
    return kept[0] if kept else None
