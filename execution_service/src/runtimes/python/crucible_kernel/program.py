"""From source text to code objects: the statements, and the last expression for its value."""

import __future__
import _ast
import linecache

_TOP_LEVEL_AWAIT = _ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_ONLY_AST = _ast.PyCF_ONLY_AST
_CO_COROUTINE = 0x80
_FUTURES = 0
for _name in __future__.all_feature_names:
    _FUTURES |= getattr(__future__, _name).compiler_flag

# File name → source of all user code compiled here: what tells a user's frame from any other.
user_files = {}

_compile = compile
_source_cache = linecache.cache


def forget(filename):
    """Takes back what Program() has noted of a file."""
    user_files.pop(filename, None)
    _source_cache.pop(filename, None)


class Program:
    """Compiled source. Raises what the compiler raises: mostly SyntaxError, ValueError for a NUL."""

    def __init__(self, source, filename, futures):
        user_files[filename] = source
        # Without a modification time linecache never compares the entry with a file on disk.
        _source_cache[filename] = (len(source), None, source.splitlines(True), filename)

        flags = futures | _TOP_LEVEL_AWAIT
        tree = _compile(source, filename, "exec", flags | _ONLY_AST, True)
        last = None
        if tree.body and isinstance(tree.body[-1], _ast.Expr):
            if not _silenced(source, tree.body[-1].value):
                last = tree.body.pop().value

        body = _compile(tree, filename, "exec", flags, True)
        self.futures = futures | (body.co_flags & _FUTURES)
        self.parts = [body]
        if last is not None:
            self.parts.append(
                _compile(_ast.Expression(last), filename, "eval", flags | self.futures, True)
            )
        self.has_value = last is not None
        self.needs_loop = any(part.co_flags & _CO_COROUTINE for part in self.parts)


def _silenced(source, expression):
    """Whether a semicolon follows the last expression, as in a notebook: no value is wanted."""
    lines = source.splitlines()[expression.end_lineno - 1:]
    if not lines:
        return False
    # end_col_offset counts UTF-8 bytes.
    first = lines[0].encode("utf-8", "surrogatepass")[expression.end_col_offset:]
    lines[0] = first.decode("utf-8", "replace")
    # After the expression only brackets, semicolons and comments can follow.
    return any(";" in line.split("#", 1)[0] for line in lines)
