"""Libraries that would show something on a screen or in a notebook: here it becomes a result.

Each action runs when the user's code imports the library, so that boot imports none of them.
"""

import builtins
import os

from . import figures, post_import
from .display import display
from .program import user_files
from .tracebacks import render, strip_kernel


def install():
    """At boot: registers the actions and defines the builtin `display`."""
    builtins.display = display.show
    post_import.install()
    post_import.on_import("matplotlib.pyplot", _pyplot)
    post_import.on_import("IPython.core.display_functions", _ipython)
    post_import.on_import("IPython.core.display", _ipython)
    post_import.on_import("PIL.ImageShow", _pillow)
    post_import.on_import("plotly.io", _plotly)
    post_import.on_import("threading", _threading)
    post_import.on_import("multiprocessing.spawn", _spawn)


def _pyplot(pyplot):
    pyplot.show = figures.show
    pyplot.Figure.show = figures.show_one


def _ipython(module):
    # IPython's own functions print a plain repr when no IPython shell is running.
    module.display = display.show
    module.publish_display_data = display.publish
    module.clear_output = lambda wait=False: None


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
    # A child started with spawn or forkserver runs the main file again, to find its functions.
    # A stateless program is not a file of the workspace, so it is written to one just for that.
    prepare = spawn.get_preparation_data
    written = {}

    def get_preparation_data(process_name):
        data = prepare(process_name)
        path = data.get("init_main_from_path")
        name = os.path.basename(path) if path is not None else None
        if name in user_files and not os.path.exists(path):
            if path not in written:
                import tempfile

                copy = os.path.join(tempfile.mkdtemp(prefix="main-"), name)
                with open(copy, "w", encoding="utf-8") as file:
                    file.write(user_files[name])
                written[path] = copy
            data["init_main_from_path"] = written[path]
        return data

    spawn.get_preparation_data = get_preparation_data
