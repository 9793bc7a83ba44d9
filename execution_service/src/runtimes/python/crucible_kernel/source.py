"""Source text as the interpreter reads a file of it."""

import _ast

_BYTE_ORDER_MARK = "\ufeff"


def text_of(code):
    """`code` without the mark that a file may begin with and a string may not."""
    return code[1:] if code.startswith(_BYTE_ORDER_MARK) else code


def statements_of(source):
    """The statements of `source`; none if they cannot be read."""
    try:
        return compile(source, "", "exec", _ast.PyCF_ONLY_AST, True).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def lines_of(text):
    """The lines as the tokenizer counts them and `linecache` reads them from a file, each with its end.

    Not str.splitlines(): a form feed or U+2028 ends no line of a program.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    last = lines.pop()
    lines = [line + "\n" for line in lines]
    return lines + [last + "\n"] if last else lines
