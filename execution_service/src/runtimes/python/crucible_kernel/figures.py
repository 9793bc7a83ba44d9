"""The open figures of matplotlib as results. Nothing of matplotlib is imported before the user's code has
done so."""

import functools
import sys

from .display import display
from .last_figure import last_figure
from .program import user_files
from .tracebacks import render, strip

_getframe = sys._getframe
# What a figure consists of.
_CONTENT = ("axes", "texts", "images", "lines", "patches", "artists", "legends", "subfigs", "_suptitle")


def send_open():
    """Sends every open figure that has something in it, in the order of their numbers, and closes all."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    # Half-imported, or a user's module of that name: nothing to send.
    if not hasattr(pyplot, "get_fignums") or not hasattr(pyplot, "close"):
        return
    for number in pyplot.get_fignums():
        figure = pyplot.figure(number)
        try:
            if any(getattr(figure, name, None) for name in _CONTENT):
                display.show(figure)
        except Exception as error:  # such as a bad formula in a label, found only when drawn
            strip(error)
            display.failed(render(error))
        pyplot.close(number)


def end_run():
    """Sends what is open, and lets go of all."""
    send_open()
    last_figure.forget()
    fonts = sys.modules.get(__package__ + ".fonts")
    if fonts is not None:
        fonts.end_run()


def install(pyplot):
    """Makes results of what pyplot would show in a window."""
    pyplot.show = show
    pyplot.Figure.show = show_one
    savefig, gcf = pyplot.savefig, pyplot.gcf

    @functools.wraps(savefig)
    def save_last(*arguments, **options):
        figure = last_figure.get(pyplot)
        return savefig(*arguments, **options) if figure is None else figure.savefig(*arguments, **options)

    @functools.wraps(gcf)
    def get_last():
        # pyplot itself asks as well, before it draws: that is where a new figure begins.
        asked_by_user = _getframe(1).f_code.co_filename in user_files
        figure = last_figure.get(pyplot) if asked_by_user else None
        return gcf() if figure is None else figure

    pyplot.savefig, pyplot.gcf = save_last, get_last


def show(*_arguments, **_options):
    """`pyplot.show`: the open figures become results at this point of the run."""
    send_open()


def show_one(figure, *_arguments, **_options):
    """`Figure.show`."""
    display.show(figure)
