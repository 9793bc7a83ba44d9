"""`In`, `Out`, `_`, `__`, `___` and `_3` of a session: what its runs were and what they gave.

They are builtins: a name of the user's goes before, and none of them is in `globals()`.
"""

import builtins

_names = vars(builtins)
# Values that stay alive by this alone. IPython keeps ten times as many, in more memory than a sandbox has.
_MOST = 100


class Outputs:
    """Run number → value, for the values that were shown."""

    def __init__(self):
        self.inputs = [""]
        self.values = {}
        _names["In"], _names["Out"] = self.inputs, self.values

    def begin(self, code):
        """A run has begun."""
        self.inputs.append(code)

    @property
    def number(self):
        """Of the current run, from 1; `%reset` begins anew."""
        return len(self.inputs) - 1

    def add(self, value):
        """The current run has shown `value`."""
        if "_" in _names:
            if "__" in _names:
                _names["___"] = _names["__"]
            _names["__"] = _names["_"]
        _names["_"] = value
        if value is self.values:
            return
        number = self.number
        _names["_%d" % number] = self.values[number] = value
        if len(self.values) > _MOST:
            self._forget(next(iter(self.values)))

    def forget(self):
        """Lets go of all values."""
        for number in list(self.values):
            self._forget(number)
        for name in ("_", "__", "___"):
            _names.pop(name, None)

    def _forget(self, number):
        self.values.pop(number, None)
        _names.pop("_%s" % (number,), None)
