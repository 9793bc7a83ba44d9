"""The open figures of matplotlib as results. Nothing of matplotlib is imported before the user's code has
done so."""

import sys

from .display import display
from .tracebacks import render, strip


def send_open():
    """Sends every open figure in the order of their numbers, and closes it."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    # Half-imported, or a user's module of that name: nothing to send.
    if not hasattr(pyplot, "get_fignums") or not hasattr(pyplot, "close"):
        return
    for number in pyplot.get_fignums():
        figure = pyplot.figure(number)
        try:
            display.show(figure)
        except Exception as error:  # such as a bad formula in a label, found only when drawn
            strip(error)
            display.failed(render(error))
        pyplot.close(number)


def show(*_arguments, **_options):
    """`pyplot.show`: the open figures become results at this point of the run."""
    send_open()


def show_one(figure, *_arguments, **_options):
    """`Figure.show`."""
    display.show(figure)
