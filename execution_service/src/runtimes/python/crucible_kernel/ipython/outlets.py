"""Where IPython's own parts bring what they have to show: to the results of the run, and to its output."""

import re
import sys

from IPython.core.displayhook import CapturingDisplayHook, DisplayHook
from IPython.core.displaypub import DisplayPublisher
from traitlets.config import Configurable

from ..display import display

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Publisher(DisplayPublisher):
    """`get_ipython().display_pub`."""

    def __init__(self, shell):
        Configurable.__init__(self, parent=shell)
        self.shell = shell
        self._is_publishing = False

    def publish(self, data, metadata=None, source=None, *, transient=None, update=False, **_options):
        display.publish(data, metadata, transient=transient)

    def clear_output(self, wait=False):
        display.clear(wait)


class Hook(DisplayHook):
    """`get_ipython().displayhook`. IPython's own would define `_` and its like in the user's namespace."""

    do_full_cache = 1  # or `%reset` would leave the values

    def __init__(self, shell=None, cache_size=0, **options):
        Configurable.__init__(self, **options)
        self.shell = shell
        self.cache_size = 0
        self._is_active = False

    def __call__(self, result=None):
        if result is None:
            return
        if isinstance(sys.displayhook, CapturingDisplayHook):  # of `%%capture`
            sys.displayhook(result)
        else:
            display.show(result)

    def flush(self):
        self.shell.forget_outputs()


class RegisteredForms:
    """What the program has registered for types of its own choice, with `display_formatter` or by `%precision`."""

    def __init__(self, formatters):
        self._formatters = formatters
        # These have printers of IPython's.
        self._defaults = {mime: dict(each.type_printers) for mime, each in formatters.items()}

    def __call__(self, value):
        found = {}
        for mime, formatter in self._formatters.items():
            defaults = self._defaults.get(mime, {})
            registered = formatter.singleton_printers or formatter.deferred_printers
            if not registered and formatter.type_printers == defaults and not getattr(formatter, "float_format", None):
                continue
            try:
                printer = formatter.lookup(value)
            except KeyError:
                continue
            if printer is defaults.get(type(value)) and not (isinstance(value, float) and formatter.float_format):
                continue
            data = formatter(value)
            if data is not None:
                found[mime] = data[0] if isinstance(data, tuple) else data
        return found


def print_page(_shell, data, start=0, *_arguments, **_options):
    """What would go through a pager is printed: `len?`, `%quickref`."""
    text = data.get("text/plain", "") if isinstance(data, dict) else data
    text = "\n".join(_COLOURS.sub("", text).splitlines()[max(start, 0):])
    print(text)
