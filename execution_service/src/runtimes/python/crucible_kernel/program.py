"""From source text to code objects: the statements, and the last expression for its value."""

import __future__
import _ast
import linecache

from .ipython.notation import place, place_error
from .ipython.shell import shell
from .source import lines_of, text_of
from .top_level import asks_for_loop, drive_loop

_TOP_LEVEL_AWAIT = _ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_ONLY_AST = _ast.PyCF_ONLY_AST
_CO_COROUTINE = 0x80
_FUTURES = 0
for _name in __future__.all_feature_names:
    _FUTURES |= getattr(__future__, _name).compiler_flag

# File name → source of all user code compiled here: what tells a user's frame from any other.
user_files = {}
# The same of those in IPython's notation → what it has made of them.
translations = {}

_compile = compile
_source_cache = linecache.cache


def forget(*filenames):
    """Takes back what Program() has noted of files."""
    for filename in filenames:
        user_files.pop(filename, None)
        translations.pop(filename, None)
        _source_cache.pop(filename, None)


class Segment:
    """Code objects that run one after the other, all `in_loop` or all outside of it."""

    __slots__ = ("in_loop", "codes")

    def __init__(self, in_loop, codes):
        self.in_loop = in_loop
        self.codes = codes


class Program:
    """Compiled source. Raises what the compiler raises: mostly SyntaxError, ValueError for a NUL.

    `path`: where the program says that it is, or None in a session, which is a notebook: what needs a
    running event loop there finds one.
    """

    def __init__(self, code, filename, futures, path=None):
        source = text_of(code)
        # Without a modification time linecache never compares the entry with a file on disk.
        entry = (len(source), None, lines_of(source), filename)
        user_files[filename] = source
        _source_cache[filename] = entry
        if path is not None:  # `inspect` asks for the source of a class by the name of its module's file
            _source_cache[path] = entry

        self.filename = filename
        self.futures = futures
        tree = shell.adapt(self._parsed(source, entry[2]))
        last = None
        if tree.body and isinstance(tree.body[-1], _ast.Expr):
            if not _silenced(entry[2], tree.body[-1].value):
                last = tree.body.pop().value
        self.has_value = last is not None
        self.segments = self._segments(source, tree, last, path is None)

    def _parsed(self, source, lines):
        try:
            tree = self._compiled(source, _ONLY_AST)
            text = shell.translate(source, parses=True)
            if text is None:
                return tree
        except SyntaxError:
            text = shell.translate(source)
            if text is None:
                raise
        translations[self.filename] = text
        try:
            tree = self._compiled(text, _ONLY_AST)
        except SyntaxError as error:
            problem = place_error(error, text, lines)
        else:
            return place(tree, text, lines)
        raise problem

    def _compiled(self, source, flags=0, kind="exec"):
        try:
            return _compile(source, self.filename, kind, self.futures | _TOP_LEVEL_AWAIT | flags, True)
        except SyntaxError as error:
            if error.text is None and error.filename == self.filename:
                self._quote_line(error)
            raise

    def _quote_line(self, error):
        # What is wrong with the sense, such as a `return` outside of a function, is found after parsing: then the
        # compiler looks for the line in a file. Its columns are those of UTF-8.
        line = linecache.getline(self.filename, error.lineno or 0)
        if line:
            error.text, encoded = line, line.encode("utf-8", "surrogatepass")
            for name in ("offset", "end_offset"):
                column = getattr(error, name, None)
                if column:
                    setattr(error, name, len(encoded[: column - 1].decode("utf-8", "replace")) + 1)

    def _segments(self, source, tree, last, notebook):
        body = self._compiled(tree)
        self.futures |= body.co_flags & _FUTURES
        codes = [body]
        if last is not None:
            codes.append(self._compiled(_ast.Expression(last), kind="eval"))
        in_loop = any(code.co_flags & _CO_COROUTINE for code in codes)
        if not in_loop and not (notebook and asks_for_loop(source, tree, last)):
            return [Segment(False, codes)]
        return self._apart(source, tree, last) or [Segment(True, codes)]

    def _apart(self, source, tree, last):
        # `asyncio.run(…)` beside a top-level await: that statement finds the loop standing still.
        statements = tree.body + ([last] if last is not None else [])
        drive = drive_loop(source, statements)
        if True not in drive:
            return None
        segments, rest = [], []

        def finish(in_loop):
            if rest:
                module = _ast.Module(body=list(rest), type_ignores=[])
                segments.append(Segment(in_loop, [self._compiled(module)]))
                rest.clear()

        for statement, drives in zip(tree.body, drive):
            if drives:
                finish(True)
            rest.append(statement)
            if drives:
                finish(False)
        finish(True)
        if last is not None:
            codes = [self._compiled(_ast.Expression(last), kind="eval")]
            segments.append(Segment(not drive[-1], codes))
        return segments


def _silenced(lines, expression):
    """Whether a semicolon follows the last expression, as in a notebook: no value is wanted."""
    lines = lines[expression.end_lineno - 1:]
    if not lines:
        return False
    # end_col_offset counts UTF-8 bytes.
    first = lines[0].encode("utf-8", "surrogatepass")[expression.end_col_offset:]
    lines[0] = first.decode("utf-8", "replace")
    # After the expression only brackets, semicolons and comments can follow.
    return any(";" in line.split("#", 1)[0] for line in lines)
