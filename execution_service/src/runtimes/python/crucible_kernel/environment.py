"""The request's variables, with what the interpreter or the C library reads of them only at its start."""

import _locale
import os
import sys
import time

_set_locale, _LC_CTYPE = _locale.setlocale, _locale.LC_CTYPE
_set_time_zone = time.tzset
_LOCALE = ("LC_ALL", "LC_CTYPE", "LANG")


def apply_environment(variables):
    """Before each run; they stay for the runs that follow."""
    if not variables:
        return
    os.environ.update(variables)
    if "TZ" in variables:
        _set_time_zone()
    if any(name in variables for name in _LOCALE):
        try:
            _set_locale(_LC_CTYPE, "")
        except _locale.Error:  # not installed: the interpreter goes on without it as well
            pass
    if "PYTHONPATH" in variables:
        # Behind the directory of the program. Nothing of ours is started with it.
        given = [path for path in variables["PYTHONPATH"].split(os.pathsep) if path]
        sys.path[1:1] = [path for path in given if path not in sys.path]
    if "PYTHONDONTWRITEBYTECODE" in variables:
        sys.dont_write_bytecode = variables["PYTHONDONTWRITEBYTECODE"] != ""
