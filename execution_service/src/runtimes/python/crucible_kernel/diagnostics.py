"""What went wrong, in the form a model can act on; read from exception objects only."""

import errno
import linecache
import os
import sys

from .hints import hint_for
from .program import user_files
from .tracebacks import describe, shorten

_MESSAGE_CHARACTERS = 4096
_EAGAIN = errno.EAGAIN
_getline = linecache.getline
_HOME = os.environ.get("HOME", os.getcwd()).rstrip("/") + "/"


def of_exception(error, text, while_compiling, first_run):
    """Describes an uncaught, already stripped exception; `text` is its printed traceback.

    `while_compiling`: the program never ran. `first_run`: nothing ran in this interpreter before.
    """
    file, line, column = _place(error, while_compiling)
    return {
        "kind": "syntax" if while_compiling and isinstance(error, SyntaxError) else "exception",
        "name": type(error).__name__,
        "message": _message(error),
        "file": file,
        "line": line,
        "column": column,
        "traceback": shorten(_of_the_user(error, text)),
        "missing_module": _text_or_none(error.name) if isinstance(error, ModuleNotFoundError) else None,
        "retryable": False,
        "hint": hint_for(error, first_run),
        "errno": _errno(error),
    }


def of_exit(error, exit_code):
    """Describes a SystemExit that asks for a status other than 0."""
    file, line, column = _place(error, False)
    return {
        "kind": "exit",
        "name": "ExitStatus",  # as every language's kernel calls it
        "message": "exit status %d" % exit_code if isinstance(error.code, int) else _message(error),
        "file": file,
        "line": line,
        "column": column,
        "traceback": None,
        "missing_module": None,
        "retryable": False,
        "hint": None,
        "errno": None,
    }


def _message(error):
    try:
        text = error.msg if isinstance(error, SyntaxError) else str(error)
    except BaseException:  # the user's __str__ may raise anything
        return "<message could not be read>"
    text = text if isinstance(text, str) else str(text)
    return text if len(text) <= _MESSAGE_CHARACTERS else text[:_MESSAGE_CHARACTERS] + "…"


def _of_the_user(error, text):
    """`text` without the frames of libraries, which name files of the host and are on stderr in full."""
    try:
        whole = describe(error)
        seen, left, omitted = set(), [whole], 0
        while left:
            part = left.pop()
            if part is None or id(part) in seen:
                continue
            seen.add(id(part))
            kept = [frame for frame in part.stack if _is_users(frame.filename)]
            omitted += len(part.stack) - len(kept)
            part.stack[:] = kept
            left += [part.__cause__, part.__context__]
            left += getattr(part, "exceptions", None) or []
        return "".join(whole.format()) if omitted else text
    except BaseException:  # the user may have replaced anything that this needs
        return text


def _text_or_none(value):
    return value if isinstance(value, str) else None


def _errno(error):
    """The operating system's error number, where that is the reason."""
    if isinstance(error, OSError):
        return error.errno if isinstance(error.errno, int) else None
    # The interpreter's word for EAGAIN from pthread_create().
    if type(error) is RuntimeError and error.args == ("can't start new thread",):
        return _EAGAIN
    return None


def _place(error, while_compiling):
    """File, line and column (both from 1) of the innermost code that the user wrote.

    Files of the workspace are named relative to it.
    """
    file, line, column = _innermost(error, while_compiling)
    if file is not None and file.startswith(_HOME):
        file = file[len(_HOME):]
    return file, line, column


def _innermost(error, while_compiling):
    # Or it is what IPython has compiled: the text below `%%time`.
    if isinstance(error, SyntaxError) and (while_compiling or error.filename in user_files):
        return _text_or_none(error.filename), error.lineno, error.offset or None
    place = (None, None, None)
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if _is_users(code.co_filename):
            place = (code.co_filename, trace.tb_lineno, _column(code, trace))
        trace = trace.tb_next
    return place


def _is_users(filename):
    return filename in user_files or (
        filename.startswith(_HOME) and "/site-packages/" not in filename
    )


def _column(code, trace):
    if sys.version_info < (3, 11):  # positions within a line are recorded since 3.11
        return None
    for index, (_line, _end_line, offset, _end) in enumerate(code.co_positions()):
        if index == trace.tb_lasti // 2:
            if offset is None:
                return None
            line = _getline(code.co_filename, trace.tb_lineno).encode("utf-8", "replace")
            return len(line[:offset].decode("utf-8", "replace")) + 1
    return None
