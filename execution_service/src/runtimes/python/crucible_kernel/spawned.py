"""Children of the methods spawn and forkserver: they load the main module anew, to find its functions in it.

That of a stateless program is its file. A session has none; its children get what its runs have imported and
defined, and not what they did.
"""

import ast
import os
import sys

from .program import translations, user_files
from .source import lines_of, statements_of

_DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_ASSIGNMENTS = (ast.Assign, ast.AnnAssign)
# An expression with one of these does something, which a child must not do again.
_DOES_SOMETHING = (ast.Call, ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)

# One piece failing, such as a decorator that no child can have, leaves the others.
_LOADER = """\
import linecache as _linecache
for _name, _lines in %r:
    _linecache.cache[_name] = (0, None, _lines, _name)
for _name, _line, _source in %r:
    try:
        exec(compile("\\n" * _line + _source, _name, "exec"), globals())
    except Exception:
        pass
"""


def install(spawn):
    """When `multiprocessing.spawn` has been imported."""
    prepare = spawn.get_preparation_data
    copies = {}

    def get_preparation_data(process_name):
        data = prepare(process_name)
        path = data.get("init_main_from_path")
        main = sys.modules.get("__main__")
        if path is None and "init_main_from_name" not in data and not hasattr(main, "__file__"):
            data["init_main_from_path"] = _copy(copies, "session.py", _definitions())
        elif path is not None and os.path.basename(path) in user_files:
            source = user_files[os.path.basename(path)]
            if os.path.basename(path) in translations:  # a child has no shell that it could be run by
                data["init_main_from_path"] = _copy(copies, os.path.basename(path), _definitions())
            elif not _holds(path, source):
                data["init_main_from_path"] = _copy(copies, os.path.basename(path), source)
        return data

    spawn.get_preparation_data = get_preparation_data


def _holds(path, source):
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            return file.read() == source
    except (OSError, UnicodeError):
        return False


def _copy(copies, name, source):
    if source not in copies:
        import tempfile

        path = os.path.join(tempfile.mkdtemp(prefix="main-"), name)
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(source)
        copies.clear()
        copies[source] = path
    return copies[source]


def _definitions():
    pieces, lines_of_runs = [], {}
    for name, source in list(user_files.items()):
        text = translations.get(name, source)
        statements, lines = statements_of(text), lines_of(text)
        for node in statements:
            if _is_definition(node):
                first = min([node.lineno] + [each.lineno for each in getattr(node, "decorator_list", [])])
                if _stands_alone(node, statements):
                    pieces.append((name, first - 1, "".join(lines[first - 1: node.end_lineno])))
                    lines_of_runs[name] = lines_of(source)
    return _LOADER % (list(lines_of_runs.items()), pieces)


def _is_definition(node):
    if isinstance(node, _DEFINITIONS):
        return True
    if isinstance(node, ast.Try):
        return all(isinstance(inner, (ast.Import, ast.ImportFrom)) for inner in node.body)
    return isinstance(node, _ASSIGNMENTS) and not any(isinstance(inner, _DOES_SOMETHING) for inner in ast.walk(node))


def _stands_alone(node, statements):
    # Another statement on one of its lines would come with it.
    return not any(
        other is not node and other.lineno <= node.end_lineno and node.lineno <= other.end_lineno
        for other in statements
    )
