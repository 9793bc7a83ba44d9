"""Libraries that would show something on a screen or in a notebook: here it becomes a result.

Each action runs when the user's code imports the library, so that boot imports none of them.
"""

import builtins
import functools
import sys

from . import figures, introspection, modules, post_import, run_warnings
from .display import display
from .handles import DisplayHandle
from .interrupts import leave_to_us
from .tracebacks import render, strip_kernel


def install():
    """At boot: registers the actions and defines the builtin `display`."""
    builtins.display = display.show
    post_import.install()
    post_import.on_import("matplotlib.pyplot", figures.install)
    post_import.on_import("matplotlib.font_manager", _fonts)
    post_import.on_import("pandas", _pandas)
    post_import.on_import("IPython.core.display_functions", _ipython)
    post_import.on_import("IPython.core.display", _ipython)
    post_import.on_import("PIL.ImageShow", _pillow)
    post_import.on_import("plotly.io", _plotly)
    post_import.on_import("tqdm.notebook", _tqdm)
    post_import.on_import("threading", _threading)
    post_import.on_import("multiprocessing.spawn", _spawn)
    post_import.on_import("asyncio.runners", leave_to_us)
    post_import.on_import("inspect", introspection.of_inspect)
    sys.unraisablehook = _unraisable
    introspection.of_traceback()
    run_warnings.install()
    modules.install()


def _fonts(font_manager):
    from . import fonts  # with `logging`, which most programs have no use for

    fonts.install(font_manager)


def _pandas(pandas):
    # Made for the width of a terminal, which nobody looks at here: a table is cut off or broken into pieces.
    pandas.set_option("display.width", 250, "display.max_columns", 50)


def _ipython(module):
    # IPython's own functions print a plain repr when no IPython shell is running.
    module.display = display.show
    module.publish_display_data = display.publish
    if hasattr(module, "update_display"):
        module.update_display = display.update
    if hasattr(module, "clear_output"):
        module.clear_output = display.clear
    if hasattr(module, "DisplayHandle"):
        module.DisplayHandle = functools.partial(DisplayHandle, display)


def _pillow(module):
    class ResultViewer(module.Viewer):
        """Image.show() sends a result instead of starting a program."""

        def show(self, image, **_options):
            display.show(image)
            return True

    module.register(ResultViewer, 0)


def _plotly(plotly_io):
    # Figure.show() ends here; the original opens a browser or asks for notebook packages.
    plotly_io.show = display.show


def _tqdm(notebook):
    # Bars of a notebook are widgets, which nobody draws here: without them it raises, with them nothing is seen.
    from tqdm import std

    notebook.tqdm = notebook.tqdm_notebook = std.tqdm
    notebook.trange = notebook.tnrange = std.trange


def _unraisable(problem):
    # The same of the interpreter's hook for finalizers and exit functions.
    error = problem.exc_value if problem.exc_value is not None else problem.exc_type()
    strip_kernel(error)
    where = "" if problem.object is None else ": %r" % (problem.object,)
    display.failed("%s%s\n%s" % (problem.err_msg or "Exception ignored in", where, render(error)))


def _threading(threading):
    # The interpreter's own hook looks for source lines in files only, and ours are not in files.
    def excepthook(arguments):
        if arguments.exc_type is SystemExit:
            return
        error = arguments.exc_value or arguments.exc_type()
        strip_kernel(error)
        name = arguments.thread.name if arguments.thread is not None else "of unknown name"
        display.failed("Exception in thread %s:\n%s" % (name, render(error)))

    threading.excepthook = excepthook


def _spawn(spawn):
    from . import spawned  # with `ast`, which most programs have no use for

    spawned.install(spawn)
