"""IPython's shell in the kernel: made when a program first needs what only IPython can do.

A program that is Python costs a look at its text. One that does not parse is given to IPython's own
transformers, and what they make of it is run like any other, with its lines and columns where the user wrote them.
"""

import builtins
import importlib.util

from . import notation


class Shell:
    """The way to `kernel_shell.py`, which imports IPython."""

    def __init__(self):
        self._shell = None
        self._main = None
        self._is_script = False
        self._loop = None
        self._outputs = None
        self.problem = None  # why IPython could not be loaded

    def attach(self, main, loop, outputs):
        """Names the module of the user's code, and the event loop and outputs of its session (None: a program)."""
        self._main, self._loop, self._outputs = main, loop, outputs
        self._is_script = outputs is None

    def detach(self):
        """Lets go of the program, which is through: nothing of ours holds what is in its names when it ends."""
        self._main = None
        if self._shell is not None:
            self._shell.release()

    def look_at(self, source):
        """Before a program is parsed: makes the shell if its text names it."""
        if self._shell is None and notation.asks_for_shell(source):
            self._make()

    def translate(self, source, parses=False):
        """What IPython makes of a program, as Python; None if it is not IPython's.

        `parses`: it is Python already, and only a command if Python knows no such name.
        """
        if parses:
            if self._is_script or not notation.is_command(source, vars(self._main)):
                return None
        elif not notation.may_be_notation(source):
            return None
        if not self._make():
            return None
        try:
            text = self._shell.transform_cell(source)
        except SyntaxError:
            return None
        if self._is_script and "get_ipython()" not in text:
            return None  # prompts and indentation, which only a notebook takes away
        return text if text.rstrip() != source.rstrip() else None

    def adapt(self, tree):
        """Applies what the user has asked of the shell for every program."""
        return tree if self._shell is None else self._shell.adapt(tree)

    def begin(self, source):
        """A program is about to run."""
        if self._shell is not None:
            self._shell.begin_run(source)

    def end(self):
        """It has ended."""
        if self._shell is not None:
            self._shell.end_run()

    def _make(self):
        if self._shell is None and is_installed():
            try:
                from .kernel_shell import make

                self._shell = make(self._main, self._loop, self._outputs)
            except Exception as error:  # too old, not whole, or a file of the user's has the name of a part of it
                self.problem = "%s: %s" % (type(error).__name__, error)
                return False
            builtins.get_ipython = self._shell.get_ipython
        return self._shell is not None


def is_installed():
    """Whether there is an IPython to be imported."""
    try:
        return importlib.util.find_spec("IPython") is not None
    except (ImportError, ValueError):
        return False


shell = Shell()
