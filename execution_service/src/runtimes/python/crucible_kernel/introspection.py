"""What a program finds when it looks at itself: its own sources, and no frame of the kernel below it."""

import itertools
import linecache
import os
import re
import sys
import traceback

from .program import translations, user_files
from .source import statements_of

_KERNEL_FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep
_modules = sys.modules


def of_traceback():
    """At boot: stacks, as `print_stack()` and `logging` show them, end where the program begins."""
    walk = traceback.walk_stack

    def walk_stack(f):
        return itertools.takewhile(_is_not_ours, walk(f))

    traceback.walk_stack = walk_stack


def _is_not_ours(entry):
    return not entry[0].f_code.co_filename.startswith(_KERNEL_FOLDER)


def of_inspect(inspect):
    """The same of `inspect.stack()`; and the file of a class of a session is that of the run it was made in."""
    outer, getfile, findsource = inspect.getouterframes, inspect.getfile, inspect.findsource

    def getouterframes(frame, context=1):
        found = outer(frame, context)
        ours = (at for at, entry in enumerate(found) if entry.filename.startswith(_KERNEL_FOLDER))
        return found[: next(ours, len(found))]

    def getfile_of_run(object):
        if isinstance(object, type) and object.__module__ == "__main__":
            if not hasattr(_modules.get("__main__"), "__file__"):
                found = _run_of(object)
                if found is not None:
                    return found
        return getfile(object)

    def findsource_of_run(object):
        try:
            return findsource(object)
        except SyntaxError:  # it looks for a class in a run that has IPython's notation as well
            lines = linecache.getlines(inspect.getfile(object))
            begins = re.compile(r"\s*class\s+%s\b" % re.escape(object.__name__)).match
            found = next((number for number, line in enumerate(lines) if begins(line)), None)
            if found is None:
                raise
            return lines, found

    inspect.getouterframes, inspect.getfile = getouterframes, getfile_of_run
    inspect.findsource = findsource_of_run


def _run_of(kind):
    for value in vars(kind).values():
        value = getattr(value, "__func__", getattr(value, "fget", value))
        filename = getattr(getattr(value, "__code__", None), "co_filename", None)
        if filename in user_files and getattr(value, "__qualname__", "").startswith(kind.__qualname__ + "."):
            return filename
    import ast

    # Nothing in it has code: the last run that defines a class of its name.
    name = kind.__name__
    for filename, source in reversed(list(user_files.items())):
        if "class " + name in source and any(
            isinstance(node, ast.ClassDef) and node.name == name
            for statement in statements_of(translations.get(filename, source))
            for node in ast.walk(statement)
        ):
            return filename
    return None
