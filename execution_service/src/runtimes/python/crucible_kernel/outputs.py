"""`In`, `Out`, `_`, `__`, `___` and `_3` of a session: what its runs were and what they gave.

They are builtins: a name of the user's goes before, and none of them is in `globals()`.
"""

import builtins
import re

_names = vars(builtins)
_numbered = re.compile(r"_\d+").findall
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
        # Every new builtin makes the interpreter look up all of them anew: `_3` is one for who mentions it.
        if "_" in code:
            for name in _numbered(code):
                number = int(name[1:])
                if number in self.values:
                    _names[name] = self.values[number]

    @property
    def number(self):
        """Of the current run, from 1; `%reset` begins anew."""
        return len(self.inputs) - 1

    def add(self, value):
        """The current run has shown `value`."""
        names = _names
        if "_" in names:
            if "__" in names:
                names["___"] = names["__"]
            names["__"] = names["_"]
        names["_"] = value
        values = self.values
        if value is not values:
            values[len(self.inputs) - 1] = value
            if len(values) > _MOST:
                self._forget(next(iter(values)))

    def forget(self):
        """Lets go of all values."""
        for number in list(self.values):
            self._forget(number)
        for name in ("_", "__", "___"):
            _names.pop(name, None)

    def _forget(self, number):
        self.values.pop(number, None)
        _names.pop("_%s" % (number,), None)
