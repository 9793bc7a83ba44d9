"""IPython's `InteractiveShell` over the namespace, the streams and the results of the kernel.

What magics run is code of the user's, and what goes wrong in it is an error of the run.
"""

import builtins
import os
import sys

import IPython
from IPython.core import completer, interactiveshell
from IPython.core.error import UsageError
from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult
from IPython.utils.text import LSString, SList
from traitlets.config import Config

from .. import figures
from ..display import display
from ..tracebacks import hide, render, strip_kernel
from . import commands
from .compiler import Compiler, Transformer, show_all
from .outlets import Hook, Publisher, RegisteredForms
from .quiet_shell import QuietShell, Store
from .scripts import KernelScriptMagics

_eval, _getframe = eval, sys._getframe
_CO_COROUTINE = 0x80
# Magics that look into the user's namespace for what IPython keeps there.
_READERS_OF_HISTORY = frozenset(("cd", "dhist", "popd", "pushd", "reset"))
# Whose frames are not the user's business when a magic fails.
_PACKAGES = ("IPython", "traitlets", "decorator")


def make(main, loop, outputs):
    """The shell of this interpreter. `main`: the module of the user's code; `outputs`: None for a program."""
    for name in _PACKAGES:
        if name in sys.modules:
            hide(os.path.dirname(os.path.abspath(sys.modules[name].__file__)) + os.sep)
    if hasattr(interactiveshell, "PickleShareDB"):  # until IPython 8 it makes a folder for it at once
        interactiveshell.PickleShareDB = lambda _folder: Store()
    completer.__main__ = builtins  # it would hold the user's module to the end
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.colors = "nocolor" if IPython.version_info[0] >= 9 else "NoColor"
    shell = KernelShell.instance(user_module=main, config=config)
    shell.join(loop, outputs)
    return shell


class KernelShell(QuietShell):
    """One for each interpreter, as IPython wants it."""

    def init_instance_attrs(self):
        super().init_instance_attrs()
        self.compile = Compiler()
        self.input_transformer_manager = Transformer()
        self._loop = self._outputs = self._failed = None
        self._depth = 0

    def init_display_pub(self):
        self.display_pub = Publisher(self)

    def init_displayhook(self):
        self.displayhook_class = Hook
        super().init_displayhook()

    def init_magics(self):
        super().init_magics()
        self.register_magics(KernelScriptMagics)
        if hasattr(self.magics_manager, "lazy_magics"):  # IPython 8
            self.magics_manager.lazy_magics.setdefault("store", "storemagic")

    def init_payload(self):
        super().init_payload()
        try:
            from matplotlib_inline.config import InlineBackend
        except ImportError:  # IPython 7 has it elsewhere
            return
        inline = InlineBackend.instance(parent=self)
        inline.shell = self
        self.configurables.append(inline)  # of `%config InlineBackend.figure_format`

    def join(self, loop, outputs):
        """Takes over what the session has kept so far."""
        self._loop, self._outputs = loop, outputs
        history = self.history_manager
        if outputs is not None:
            history.input_hist_parsed = history.input_hist_raw = outputs.inputs
            history.output_hist = outputs.values
        self._history_names = {
            "_ih": history.input_hist_parsed, "_oh": history.output_hist, "_dh": history.dir_hist,
        }
        vars(builtins).update(self._history_names)
        display.also(RegisteredForms(self.display_formatter.formatters))

    def release(self):
        """Lets go of the user's module."""
        self.user_module, self.user_ns, self.ns_table = None, {}, {}
        self.Completer, self.configurables = None, []

    @property
    def display_pub(self):
        return self._publisher

    @display_pub.setter
    def display_pub(self, publisher):
        self._publisher = publisher
        # `%%capture` has one of its own for as long as it runs.
        display.divert(None if isinstance(publisher, Publisher) else publisher)

    # Runs of the kernel.

    def begin_run(self, source):
        """Before a run."""
        self._failed, self._depth = None, 0
        if self._outputs is not None:
            self.execution_count = self._outputs.number
        self._result = ExecutionResult(_info(source, True))
        self.events.trigger("pre_execute")
        self.events.trigger("pre_run_cell", self._result.info)

    def end_run(self):
        """After it."""
        self.events.trigger("post_execute")
        self.events.trigger("post_run_cell", self._result)

    def adapt(self, tree):
        """What the user wants of every program: transformers, and the values of all expressions."""
        tree = self.transform_ast(tree)
        return show_all(tree) if self.ast_node_interactivity == "all" else tree

    def transform_cell(self, raw_cell):
        text = super().transform_cell(raw_cell)
        # Empty lines at the beginning are dropped there, and all others would have another number.
        lines = raw_cell.splitlines()
        empty = next((number for number, line in enumerate(lines) if line.strip()), 0)
        return "\n" * empty + text

    def forget_outputs(self):
        """Lets go of the values in `Out`."""
        if self._outputs is not None:
            self._outputs.forget()

    def reset(self, *arguments, **options):
        names = {name: value for name, value in self.user_ns.items() if name.startswith("__")}
        super().reset(*arguments, **options)
        self.user_ns.update(names)

    # Magics and commands. What they say of the caller's frame counts from here.

    def run_line_magic(self, magic_name, line, _stack_depth=1):
        frame = _getframe(_stack_depth)
        names = self._history_names if magic_name in _READERS_OF_HISTORY else {}
        self.user_ns.update(names)
        self._depth += 1
        try:
            with self.compile.at(frame, line, 0):
                value = super().run_line_magic(magic_name, line, _stack_depth=_stack_depth + 1)
        except UsageError as error:
            raise error.with_traceback(None) from None  # the user's line says it all
        finally:
            self._depth -= 1
            for name in names:
                self.user_ns.pop(name, None)
        self._raise_told()
        return value

    def run_cell_magic(self, magic_name, line, cell):
        self._depth += 1
        try:
            with self.compile.at(_getframe(1), line, 1):
                value = super().run_cell_magic(magic_name, line, cell)
        except UsageError as error:
            raise error.with_traceback(None) from None
        finally:
            self._depth -= 1
        self._raise_told()
        return value

    def _raise_told(self):
        if self._failed is not None and self._depth == 0:
            error, self._failed = self._failed, None
            raise error

    def magic(self, arg_s):
        """Until IPython 9, and in many a program still."""
        name, _, line = arg_s.strip().partition(" ")
        return self.run_line_magic(name.lstrip("%"), line.strip(), _stack_depth=2)

    def system(self, cmd):
        status, _text = commands.run(self.var_expand(cmd, depth=1))
        self._note(status, cmd)

    system_piped = system_raw = system

    def getoutput(self, cmd, split=True, depth=0):
        status, text = commands.run(self.var_expand(cmd, depth=depth + 1), capture=True)
        self._note(status, cmd)
        return SList(text.splitlines()) if split else LSString(text)

    def _note(self, status, command):
        self.user_ns["_exit_code"] = status
        if status != 0 and getattr(self, "system_raise_on_error", False):
            raise commands.subprocess.CalledProcessError(status, command)

    # What magics call.

    def run_cell(self, raw_cell, store_history=False, silent=False, *_arguments, **_options):
        """Runs a text inside of a run. As in IPython it raises nothing of what goes wrong."""
        result = ExecutionResult(_info(raw_cell, store_history))
        try:
            codes = self.compile.codes_of(self.transform_cell(raw_cell), self.adapt)
            if any(code.co_flags & _CO_COROUTINE for code in codes):
                value = self._loop.run(codes, self.user_ns)
            else:
                value = [_eval(code, self.user_ns) for code in codes][-1]
            result.result = value
            if not silent:
                self.displayhook(value)
            figures.send_open()
        except Exception as error:
            result.error_in_exec = error
            self.showtraceback()
        return result

    def showtraceback(self, exc_tuple=None, *_arguments, **_options):
        """A magic tells of an error: once the magic is through it becomes that of the run."""
        error = exc_tuple[1] if exc_tuple else sys.exc_info()[1]
        if error is None:
            print("No traceback available to show.", file=sys.stderr)
        elif self._depth:
            self._failed = self._failed or error
        else:
            strip_kernel(error)
            display.failed(render(error))

    def showsyntaxerror(self, *_arguments, **_options):
        self.showtraceback()


def _info(source, is_run):
    try:
        return ExecutionInfo(source, is_run, False, True, None)
    except TypeError:  # until IPython 8.3 there is no cell_id
        return ExecutionInfo(source, is_run, False, True)
