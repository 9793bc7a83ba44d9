"""Bars, side by side, stacked, sideways, and those of a histogram."""

from ..cells import cell
from .labels import labels_of, name_at, named_ticks
from .legend import legend_of, series_name


def of(axes):
    """The groups of bars in `axes`."""
    found = [group for group in axes.containers if type(group).__name__ == "BarContainer"]
    return [group for group in found if group.patches]


def chart(axes, groups, budget):
    """Each bar with the name of its place, and the group that it belongs to."""
    sideways = getattr(groups[0], "orientation", None) == "horizontal"
    axis = axes.yaxis if sideways else axes.xaxis
    names = named_ticks(axis)
    elements = []
    legend = legend_of(axes)
    for number, group in enumerate(budget.series(groups)):
        name = series_name(group, legend, "Group", number)
        spans = [_span(bar, sideways) for bar in budget.first(group.patches)]
        histogram = not names and _touch(spans)
        for start, width, value in spans:
            if histogram:
                label = "%.6g to %.6g" % (start, start + width)
            else:
                label = name_at(axis, names, start + width / 2)
            elements.append({"label": label, "group": name, "value": cell(value)})
    chart = labels_of(axes, sideways)
    chart["elements"] = elements
    return chart


def _span(bar, sideways):
    # Where it stands, how wide it is, and what it says.
    if sideways:
        return float(bar.get_y()), float(bar.get_height()), float(bar.get_width())
    return float(bar.get_x()), float(bar.get_width()), float(bar.get_height())


def _touch(spans):
    pairs = list(zip(spans, spans[1:]))
    return bool(pairs) and all(
        abs(left[0] + left[1] - right[0]) <= abs(left[1]) * 1e-6 for left, right in pairs
    )
