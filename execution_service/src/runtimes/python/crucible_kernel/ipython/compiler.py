"""How magics compile what they run: as code of the user's file, at the lines where it stands."""

import _ast
import contextlib

from IPython.core.compilerop import CachingCompiler
from IPython.core.inputtransformer2 import TransformerManager

from ..program import user_files
from ..source import lines_of
from .notation import place, place_error

_AWAIT = _ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


class Transformer(TransformerManager):
    """Keeps the number of lines: a command that goes over several of them becomes one and empty ones."""

    def transform_cell(self, cell):
        # As IPython's, but for what ends a line: no form feed, and no U+2028.
        lines = lines_of(cell if cell.endswith("\n") else cell + "\n")
        for transform in self.cleanup_transforms + self.line_transforms:
            lines = lines_of("".join(transform(lines)))
        return "".join(self.do_token_transforms(lines))

    def do_one_token_transform(self, lines):
        before = lines
        changed, lines = super().do_one_token_transform(before)
        missing = len(before) - len(lines)
        if missing > 0:
            pairs = zip(before, lines)
            at = next((number for number, (old, new) in enumerate(pairs) if old != new), len(lines) - 1)
            lines = lines[: at + 1] + ["\n"] * missing + lines[at + 1:]
        return changed, lines


class Compiler(CachingCompiler):
    """IPython's, which would call the code of `%%time` `<timed exec>` and count its lines from 1."""

    def __init__(self):
        super().__init__()
        self._places = [None]

    @contextlib.contextmanager
    def at(self, frame, argument, body):
        """While a magic runs that was called from `frame`. `argument`: what follows its name; `body`: how far below
        that line the rest of its text begins."""
        filename = frame.f_code.co_filename
        place = self._places[-1]
        if filename in user_files:
            place = filename, lines_of(user_files[filename]), frame.f_lineno, argument.strip(), body
        self._places.append(place)
        try:
            yield
        finally:
            self._places.pop()

    def ast_parse(self, source, filename="<unknown>", symbol="exec"):
        if self._places[-1] is None:
            return super().ast_parse(source, filename, symbol)
        filename, lines, first, argument, body = self._places[-1]
        if source.strip() != argument:
            first += body
        try:
            tree = super().ast_parse(source, filename, symbol)
        except SyntaxError as error:
            raise place_error(error, source, lines, first)
        return place(tree, source, lines, first)

    def __call__(self, source, filename, symbol, *arguments, **options):
        if self._places[-1] is not None and filename.startswith("<"):
            filename = self._places[-1][0]
        try:
            return super().__call__(source, filename, symbol, *arguments, **options)
        except SyntaxError as error:  # an `await` below `%%time`
            raise error.with_traceback(None)

    def codes_of(self, text, adapt):
        """The code objects of a cell inside of a magic; the second one, if any, is that of its value."""
        with self.extra_flags(_AWAIT):
            tree = adapt(self.ast_parse(text))
            last = tree.body.pop().value if tree.body and isinstance(tree.body[-1], _ast.Expr) else None
            codes = [self(tree, "<cell>", "exec")]
            if last is not None:
                codes.append(self(_ast.Expression(last), "<cell>", "eval"))
        return codes


def show_all(tree):
    """Makes every expression statement but the last one show its value."""
    for statement in tree.body[:-1]:
        if isinstance(statement, _ast.Expr):
            where = {name: getattr(statement, name) for name in statement._attributes}
            load = _ast.Load()
            shell = _ast.Call(_ast.Name("get_ipython", load, **where), [], [], **where)
            hook = _ast.Attribute(shell, "displayhook", load, **where)
            statement.value = _ast.Call(hook, [statement.value], [], **where)
    return tree
