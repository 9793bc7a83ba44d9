"""`Did you mean: 'colour'?`, which the interpreter adds where it prints an error itself. From 3.12 on `traceback` does
so as well; before, the interpreter is asked."""

import re
import sys
from _thread import get_ident

_print = sys.__excepthook__
_ASKED = (3, 10) <= sys.version_info < (3, 12)
_SAID = re.compile(r"\. Did you mean: '[^'\n]*'\?$", re.MULTILINE)
_LINKS = "__traceback__", "__cause__", "__context__", "__suppress_context__"


def suggestion_for(error):
    """What is added to the message of `error`, or nothing."""
    if not _ASKED or not isinstance(error, (NameError, AttributeError)):
        return ""
    links = [(name, getattr(error, name)) for name in _LINKS]
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    stderr = sys.stderr
    catch = sys.stderr = _Catch(stderr)
    try:
        # By itself: where it came from, and from which error, would be printed as well.
        error.__traceback__, error.__cause__, error.__context__ = last, None, None
        _print(type(error), error, last)
    except Exception:  # of a class of the user's, anything may fail
        return ""
    finally:
        sys.stderr = stderr
        for name, value in links:
            setattr(error, name, value)
    said = _SAID.search("".join(catch.caught))
    return said.group() if said else ""


def add_suggestions(described, error):
    """Adds them to a TracebackException of `error`, and to what it is chained to."""
    left, seen = [(described, error)], set()
    while _ASKED and left:
        part, error = left.pop()
        if part is None or error is None or id(part) in seen:
            continue
        seen.add(id(part))
        said = suggestion_for(error)
        if said and not part._str.endswith(said):
            part._str += said
        left += [(part.__cause__, error.__cause__), (part.__context__, error.__context__)]
        left += zip(getattr(part, "exceptions", None) or (), getattr(error, "exceptions", None) or ())


class _Catch:
    """Takes what this thread writes, and leaves what others write to whom it is for."""

    def __init__(self, stderr):
        self.caught = []
        self._stderr = stderr
        self._owner = get_ident()

    def write(self, text):
        if get_ident() == self._owner:
            self.caught.append(text)
        else:
            self._stderr.write(text)

    def flush(self):
        pass

    def __getattr__(self, name):
        return getattr(self._stderr, name)
