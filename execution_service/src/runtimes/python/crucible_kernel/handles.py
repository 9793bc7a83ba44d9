"""What `display(…, display_id=…)` returns: the name of a result that the program means to update."""

import binascii
import os

_urandom, _hexlify = os.urandom, binascii.hexlify


def new_id():
    """A name that no other result has."""
    return _hexlify(_urandom(16)).decode("ascii")


class DisplayHandle:
    """As `IPython.display.DisplayHandle`."""

    def __init__(self, display, display_id=None):
        self._display = display
        self.display_id = new_id() if display_id is None else display_id

    def __repr__(self):
        return "<DisplayHandle display_id=%s>" % self.display_id

    def display(self, value, **options):
        """Shows `value` under this name."""
        self._display.show(value, display_id=self.display_id, **options)

    def update(self, value, **options):
        """Shows `value` in the place of what has this name."""
        self._display.update(value, display_id=self.display_id, **options)
