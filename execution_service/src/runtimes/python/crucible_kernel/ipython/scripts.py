"""`%%bash`, `%%script` and their like. IPython's own runs them on an event loop in a thread."""

import errno
import subprocess

from IPython.core.error import UsageError
from IPython.core.magics.script import ScriptMagics
from IPython.utils.process import arg_split

from . import commands

_parser = ScriptMagics.shebang.parser


class KernelScriptMagics(ScriptMagics):
    """The same magics, with the same options."""

    def shebang(self, line, cell):
        """Run a cell via a shell command (see IPython's `%%script?`)."""
        options, command = _parser.parse_known_args(arg_split(line, posix=True))
        if not command:
            raise UsageError("%%script needs the program that is to run the cell, such as %%script bash")
        text = cell if cell.endswith("\n") else cell + "\n"
        if options.bg:
            return self._in_background(options, command, text)
        parts = {name: [] for name in (options.out, options.err) if name}
        try:
            status = commands.execute(
                command, input=text,
                out=parts[options.out].append if options.out else None,
                err=parts[options.err].append if options.err else None,
            )
        except OSError as error:
            return self._not_started(command, error)
        finally:
            for name, texts in parts.items():
                self.shell.user_ns[name] = "".join(texts)
        if options.raise_error and status != 0:
            raise subprocess.CalledProcessError(status, text.encode("utf-8", "replace"))

    def _in_background(self, options, command, text):
        out, err = (subprocess.PIPE if name else subprocess.DEVNULL for name in (options.out, options.err))
        try:
            process = commands.start(command, input=text, stdout=out, stderr=err)
        except OSError as error:
            return self._not_started(command, error)
        self.bg_processes.append(process)
        for name, value in ((options.out, process.stdout), (options.err, process.stderr), (options.proc, process)):
            if name:
                self.shell.user_ns[name] = value

    def _gc_bg_processes(self):
        self.bg_processes = [process for process in self.bg_processes if process.poll() is None]

    @staticmethod
    def _not_started(command, error):
        if error.errno != errno.ENOENT:
            raise error
        print("Couldn't find program: %r" % command[0])
