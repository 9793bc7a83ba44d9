"""Boxes with whiskers. They leave nothing behind but lines and shapes: what is what is told by their places."""

from ..cells import cell
from .labels import labels_of, name_at, named_ticks

# Of the length that is compared: what is drawn has been rounded.
_SAME = 1e-6
# Points of an outline: the last is the first again.
_PLAIN, _NOTCHED = 5, 11


class _Line:
    """A line of a drawing, in coordinates along and across the boxes."""

    def __init__(self, across, along, markers):
        self.markers = markers
        self.along = along
        self.left, self.right = min(across), max(across)
        self.low, self.high = min(along), max(along)


class _Box:
    def __init__(self, outline):
        self.left, self.right = outline.left, outline.right
        self.first, self.third = outline.low, outline.high
        if len(outline.along) >= _NOTCHED:  # whose notch may reach beyond it
            self.first, self.third = outline.along[0], outline.along[5]
        self.least = self.most = self.median = None
        self.outliers = []

    @property
    def center(self):
        return (self.left + self.right) / 2


def of(axes):
    """The boxes in `axes` and whether they lie sideways; None if there are none, or other things as well."""
    for sideways in (False, True):
        outlines, lines = _drawn(axes, sideways)
        found = [_complete(_Box(outline), lines) for outline in outlines]
        if found and None not in found:
            return found, sideways
    return None


def chart(axes, found, budget):
    """What each box says, by the name of its place."""
    found, sideways = found
    axis = axes.yaxis if sideways else axes.xaxis
    names = named_ticks(axis)
    chart = labels_of(axes, sideways)
    chart["elements"] = [
        {
            "label": name_at(axis, names, box.center),
            "min": cell(box.least),
            "first_quartile": cell(box.first),
            "median": cell(box.median),
            "third_quartile": cell(box.third),
            "max": cell(box.most),
            "outliers": [cell(value) for value in budget.first(box.outliers)],
        }
        for box in budget.first(found)
    ]
    return chart


def _drawn(axes, sideways):
    outlines = []
    for patch in axes.patches:
        if type(patch).__name__ == "PathPatch":
            vertices = patch.get_path().vertices
            outlines.append(_line(vertices[:, 0], vertices[:, 1], sideways, False))
    # Boxes that are filled hide those that are not.
    hollow = [] if outlines else [line for line in axes.lines if _is_outline(line)]
    outlines += [_line(*line.get_data(orig=False), sideways, False) for line in hollow]
    if not outlines:
        return [], []
    lines = [line for line in axes.lines if len(line.get_xdata()) and line.get_transform() == axes.transData]
    lines = [line for line in lines if not _is_outline(line)]
    return outlines, [_line(*line.get_data(orig=False), sideways, _has_no_line(line)) for line in lines]


def _is_outline(line):
    x, y = line.get_data(orig=False)
    closed = len(x) in (_PLAIN, _NOTCHED) and x[0] == x[-1] and y[0] == y[-1]
    return closed and not _has_no_line(line)


def _has_no_line(line):
    return line.get_linestyle() in ("None", "none", " ", "")


def _line(x, y, sideways, markers):
    x, y = [float(value) for value in x], [float(value) for value in y]
    return _Line(y, x, markers) if sideways else _Line(x, y, markers)


def _complete(box, lines):
    # A box of data has a median in it and whiskers at its ends; without them it is a shape.
    width = box.right - box.left
    near = (abs(box.third) + abs(box.first)) * _SAME
    widest, markers = -1.0, []
    for line in lines:
        if line.left < box.left - width * _SAME or line.right > box.right + width * _SAME:
            continue
        if line.markers:
            markers = line.along  # of several the last: a mean comes before
        elif len(line.along) != 2:
            continue
        elif line.left == line.right:
            if abs(line.high - box.first) <= near and box.least is None:
                box.least = line.low
            elif abs(line.low - box.third) <= near:
                box.most = line.high
        elif line.low == line.high:  # a median, or the cap of a whisker, which is less wide and comes before
            if box.first - near <= line.low <= box.third + near and line.right - line.left >= widest:
                widest, box.median = line.right - line.left, line.low
    if None in (box.median, box.least, box.most):
        return None
    # Without outliers the last one is a mean.
    box.outliers = [value for value in markers if not box.least <= value <= box.most]
    return box
