"""How much of a figure is said."""

# Points, bars, slices, boxes and outliers of a figure together. More than a picture shows.
_MOST_POINTS = 5000
# Lines, groups of points and the like of one pair of axes.
_MOST_SERIES = 200


class Budget:
    """What is left of it; `exceeded` once something has been left out."""

    def __init__(self):
        self._left = _MOST_POINTS
        self.exceeded = False

    def first(self, values):
        """As many of them as there is room for."""
        values = self._cut(values, self._left)
        self._left -= len(values)
        return values

    def series(self, values):
        """As many of them as one pair of axes may have."""
        return self._cut(values, _MOST_SERIES)

    def _cut(self, values, most):
        self.exceeded = self.exceeded or len(values) > most
        return list(values[:most])

    def thinned(self, length, series):
        """Which of `length` points to keep, evenly, where as many as `series` more are to come with this one."""
        most = max(self._left // max(series, 1), 1) if self._left else 0
        if length > most:
            self.exceeded = True
        if most == 0:
            return slice(0, 0)
        step = -(-length // most) or 1
        self._left -= -(-length // step)
        return slice(0, length, step)
