"""How much of a figure is said."""

# Points, bars, slices, boxes and outliers of a figure together. More than a picture shows.
_MOST_POINTS = 5000
# Lines, groups of points and the like of one pair of axes.
MOST_SERIES = 200


class Budget:
    """What is left of it; `exceeded` once something has been left out."""

    def __init__(self):
        self._left = _MOST_POINTS
        self.exceeded = False

    def first(self, values, most=_MOST_POINTS):
        """The first `most` of them, or as many as there is room for."""
        most = min(most, self._left)
        values = list(values[: most + 1])
        if len(values) > most:
            self.exceeded = True
            del values[most:]
        self._left -= len(values)
        return values

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
