"""IPython's notation in a program: where it may be, and what becomes of it in the user's own lines.

IPython translates it into calls of `get_ipython()`. What is compiled is that text; what a traceback, `inspect`
and a diagnostic show is the text of the user, so every node gets its place there.
"""

import _ast
import builtins
import re

from ..source import lines_of

# A program that does not parse and has none of these is not IPython's either.
_MARKS = re.compile(r"^[ \t]*(?:[%!?,;/]|>>> ?|In ?\[\d+\]:)|\?[ \t]*;?[ \t]*$|=[ \t]*[!%]", re.MULTILINE)
# Without a mark IPython takes a single line as a magic or a command if it begins with the name of one.
_COMMANDS = frozenset((
    "alias", "bookmark", "cat", "cd", "conda", "config", "cp", "env", "hist", "history", "less", "ll", "load",
    "load_ext", "ls", "lsmagic", "magic", "man", "matplotlib", "mkdir", "more", "mv", "pip", "precision", "prun", "pwd",
    "reset", "rm", "rmdir", "run", "set_env", "time", "timeit", "uv", "who", "who_ls", "whos",
))
# Those among them that are Python as well, which knows no such name.
_NAMES = frozenset(("cd", "hist", "history", "ll", "ls", "lsmagic", "pwd", "who", "whos"))
_FIRST_LETTERS = frozenset(name[0] for name in _NAMES)


def may_be_notation(source):
    """Whether a program that is no Python may be IPython's."""
    return _MARKS.search(source) is not None or _command(source) in _COMMANDS


def is_command(source, namespace):
    """Whether a program that is Python is rather a command: `pwd`, `ls -l`."""
    if source[:1] not in _FIRST_LETTERS:
        return False
    name = _command(source)
    return name in _NAMES and name not in namespace and not hasattr(builtins, name)


def asks_for_shell(source):
    """Whether a program that is Python uses the object behind the notation, or what needs it."""
    return "get_ipython" in source or "InteractiveShell" in source or "import register_" in source


def _command(source):
    text = source.strip()
    return text.split(None, 1)[0] if text and "\n" not in text else None


def place(tree, text, lines, first=1):
    """Moves the nodes of `tree`, which was parsed from `text`, to where they come from.

    `lines`: the user's text; `first`: the number of the line in it where that of `text` begins.
    """
    columns = _Columns(text, lines, first)
    left = [tree]
    while left:
        node = left.pop()
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, _ast.AST):
                left.append(value)
            elif isinstance(value, list):
                left += [item for item in value if isinstance(item, _ast.AST)]
        if not hasattr(node, "lineno"):
            continue
        node.col_offset = columns.of_start(node.lineno, node.col_offset)
        node.lineno += first - 1
        if getattr(node, "end_lineno", None) is not None:
            node.end_col_offset = columns.of_end(node.end_lineno, node.end_col_offset)
            node.end_lineno += first - 1
    return tree


def place_error(error, text, lines, first=1):
    """The same of what the parser has to say against `text`."""
    if not error.lineno:
        return error
    columns = _Columns(text, lines, first)
    shift = columns.shift(error.lineno)
    at = error.lineno + first - 2
    error.lineno += first - 1
    error.text = lines[at] if at < len(lines) else error.text
    if shift is None:
        error.offset = 1
        if hasattr(error, "end_offset"):
            error.end_lineno = error.end_offset = None
    elif error.offset:
        error.offset += shift
        if getattr(error, "end_offset", None):
            error.end_lineno += first - 1
            error.end_offset += shift
    return error


class _Columns:
    """What of a line of `text` stands in the user's: all of it, its end, or nothing."""

    def __init__(self, text, lines, first):
        self._text = lines_of(text)
        self._lines = lines
        self._first = first

    def shift(self, number):
        """How far the line `number` of the text is from where it stands in the user's; None if it does not."""
        mine, users = self._mine(number).rstrip(), self._users(number).rstrip()
        if mine == users:
            return 0
        if mine.strip() and users.endswith(mine):
            return len(_encoded(users)) - len(_encoded(mine))
        return None

    def of_start(self, number, column):
        shift = self.shift(number)
        if shift is not None:
            return column + shift
        line = self._users(number)
        return len(_encoded(line)) - len(_encoded(line.lstrip()))

    def of_end(self, number, column):
        shift = self.shift(number)
        return column + shift if shift is not None else len(_encoded(self._users(number).rstrip()))

    def _mine(self, number):
        return self._text[number - 1] if number <= len(self._text) else ""

    def _users(self, number):
        at = number + self._first - 2
        return self._lines[at] if at < len(self._lines) else ""


def _encoded(text):
    return text.encode("utf-8", "surrogatepass")
