"""The end of the process: what the interpreter itself does on its way out, without dismantling it.

Taking apart an interpreter with pandas in it takes tens of milliseconds that no program can notice.
"""

import atexit
import gc
import os
import sys

from . import run_warnings

_exit_now, _collect, _modules = os._exit, gc.collect, sys.modules
_run_exit_functions = atexit._run_exitfuncs
# What the interpreter exits with when the last bytes could not be written.
_NOT_FLUSHED = 120


def shut_down(value, before_exit=lambda _status: None):
    """Ends the process as `sys.exit(value)` would: threads, exit functions, finalizers, flush.

    `before_exit` gets the status when nothing is left to be done but to exit with it.
    """
    status = _status_of(value)
    for step in (_join_threads, _run_exit_functions, _finalize):
        try:
            step()
        except BaseException:  # the functions have told of their errors themselves
            pass
    if not _flush():
        status = _NOT_FLUSHED
    before_exit(status)
    _exit_now(status)


def _status_of(value):
    if value is None:
        return 0
    if isinstance(value, int):
        return value & 0xFF
    try:
        sys.stderr.write("%s\n" % (value,))
    except Exception:
        pass
    return 1


def _join_threads():
    threading = _modules.get("threading")
    if threading is not None:
        threading._shutdown()


def _finalize():
    # With the module goes the last name of its dictionary; what is in it is then found to be garbage, and
    # every __del__ still finds all the others, as it does when the interpreter itself collects them.
    run_warnings.end()
    _modules.pop("__main__", None)
    _collect()


def _flush():
    try:
        sys.stdout.flush()
    except ValueError:  # closed or detached by the user: there is nothing left to flush
        pass
    except Exception:
        return False
    try:
        sys.stderr.flush()
    except Exception:  # nobody can be told
        pass
    return True
