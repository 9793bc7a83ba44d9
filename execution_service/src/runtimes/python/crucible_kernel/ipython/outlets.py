"""Where IPython's own parts bring what they have to show: to the results of the run, and to its output."""

import fnmatch
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


class Store(dict):
    """`get_ipython().db`, which `%bookmark` and `%store` write to: for as long as the kernel lives."""

    def keys(self, pattern=None):
        """As PickleShareDB has it."""
        return super().keys() if pattern is None else fnmatch.filter(self, pattern)


def print_page(_shell, data, start=0, *_arguments, **_options):
    """What would go through a pager is printed: `len?`, `%quickref`."""
    text = data.get("text/plain", "") if isinstance(data, dict) else data
    text = "\n".join(_COLOURS.sub("", text).splitlines()[max(start, 0):])
    print(text)
