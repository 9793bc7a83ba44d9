"""One interpreter state: the `__main__` module of the user's code and the runs in it."""

import builtins
import os
import sys
import types

from . import diagnostics, figures, modules, run_warnings
from .display import display
from .environment import apply_environment
from .event_loop import EventLoop
from .interrupts import interrupts
from .ipython.shell import shell
from .outputs import Outputs
from .program import Program
from .program_file import ProgramFile
from .memory_reserve import MemoryReserve
from .tracebacks import render, strip

_eval = eval
_settrace, _setprofile = sys.settrace, sys.setprofile
_default_hook = sys.excepthook
_Coroutine = types.CoroutineType


class Outcome:
    """How a run ended. `exit_value` is what the program gave to sys.exit()."""

    __slots__ = ("exit_code", "exit_value", "diagnostic", "interrupted")

    def __init__(self, exit_code, exit_value, diagnostic, interrupted):
        self.exit_code = exit_code
        self.exit_value = exit_value
        self.diagnostic = diagnostic
        self.interrupted = interrupted


class Session:
    """Runs programs one after the other in the same namespace.

    `script`: the name of the only program of a stateless interpreter, which then sees what it would
    see as `python3 script`; None in a session, where every run is a cell of its own name. `file` is the script's,
    or None.
    """

    def __init__(self, streams, script=None):
        self._streams = streams
        self._script = script
        self._runs = 0
        self._futures = 0
        self._loop = EventLoop()
        self.file = None
        self._memory_reserve = MemoryReserve()
        # A real module, so that pickle and multiprocessing find the user's functions in it.
        self._main = types.ModuleType("__main__")
        if sys.version_info < (3, 14):
            self._main.__annotations__ = {}
        self._main.__builtins__ = builtins
        if script is not None:
            self._main.__file__ = os.path.join(os.getcwd(), script)
            self._main.__cached__ = None
            self.file = ProgramFile(self._main.__file__)
        sys.modules["__main__"] = self._main
        self._outputs = None
        if script is None:
            self._outputs = Outputs()
            sys.path.insert(0, "")  # as in a notebook: what is in the working directory, wherever that is by then
        shell.attach(self._main, self._loop, self._outputs)

    def run(self, request):
        """Runs one request to the end of its main program. Never raises."""
        self._runs += 1
        display.begin(request["id"])
        compiled = False
        self._memory_reserve.hold()
        interrupts.arm()
        try:
            self._streams.prepare(request["stdin"])
            apply_environment(request["env"])
            sys.argv = [request["file"]] + request["args"]
            sys.orig_argv = [sys.executable] + (sys.argv if self._script is not None else [])
            filename = self._script or "cell_%d.py" % self._runs
            run_warnings.begin(filename)
            path = self.file.path if self.file is not None else None
            if self._outputs is not None:
                self._outputs.begin(request["code"])
            shell.look_at(request["code"])
            program = Program(request["code"], filename, self._futures, path)
            self._futures = program.futures
            compiled = True
            shell.begin(request["code"])
            if self.file is None:
                modules.forget_rewritten(request["code"])
                self._loop.begin()
            else:
                self.file.write(request["code"])
            self._execute(program)
            interrupts.disarm()
            return Outcome(0, None, None, False)
        except SystemExit as error:
            self._memory_reserve.release()
            interrupts.disarm()
            return self._exited(error)
        except BaseException as error:
            self._memory_reserve.release()
            interrupts.disarm()
            return self._failed(error, compiled)
        finally:
            _settrace(None)
            _setprofile(None)

    def _execute(self, program):
        try:
            value = None
            for segment in program.segments:
                if segment.in_loop:
                    value = self._loop.run(segment.codes, self._main.__dict__)
                else:
                    for code in segment.codes:
                        value = _eval(code, self._main.__dict__)
            if program.has_value and value is not None:
                display.main_result(value)
                # A coroutine that nobody awaits is told of when it is dropped: in this run, not in a later one.
                if self._outputs is not None and type(value) is not _Coroutine:
                    self._outputs.add(value)
        finally:
            shell.end()
            # Figures of a failed run are still wanted; after an interrupt there is no time left.
            if not interrupts.received:
                figures.end_run()
            display.release()
            if self._script is not None:
                self._loop.close()

    def _exited(self, error):
        code = error.code
        if code is None:
            return Outcome(0, None, None, False)
        if not isinstance(code, int):
            # In a stateless run the interpreter itself prints it on its way out.
            if self._script is None:
                self._streams.write_error("%s\n" % (code,))
            exit_code = 1
        else:
            exit_code = code & 0xFF
        if exit_code == 0:
            return Outcome(0, code, None, False)
        strip(error)
        return Outcome(exit_code, code, diagnostics.of_exit(error, exit_code), False)

    def _failed(self, error, compiled):
        interrupted = interrupts.received and isinstance(error, KeyboardInterrupt)
        try:
            strip(error)
            text = render(error)
        except BaseException as problem:  # no memory left to say it at length
            names = (type(error).__name__, type(problem).__name__)
            text = "%s\n(its traceback could not be made: %s)\n" % names
        self._print(error, text)
        exit_code = 130 if isinstance(error, KeyboardInterrupt) else 1
        first = self._script is None and self._runs == 1
        found = diagnostics.of_exception(error, text, not compiled, first)
        return Outcome(exit_code, exit_code, found, interrupted)

    def _print(self, error, text):
        hook = sys.excepthook
        if hook is not _default_hook:
            try:
                hook(type(error), error, error.__traceback__)
                return
            except BaseException as problem:
                problem.__context__ = None
                strip(problem)
                self._streams.write_error("Error in sys.excepthook:\n%s\nOriginal exception was:\n" % render(problem))
        self._streams.write_error(text)
