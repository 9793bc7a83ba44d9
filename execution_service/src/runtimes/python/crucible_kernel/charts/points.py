"""Lines and clouds of points."""

from ..cells import cells
from .labels import dates_at, labels_of, shows_dates, ticks_of
from .legend import legend_of, series_name


def lines_of(axes):
    """Label and coordinates of the lines of data in `axes`: not those across all of it, such as `axhline`."""
    found, legend = [], legend_of(axes)
    for line in axes.lines:
        if line.get_transform() == axes.transData and len(line.get_xdata()):
            name = series_name(line, legend, "Line", len(found))
            found.append((name, line.get_xdata(), line.get_ydata()))
    return found


def clouds_of(axes):
    """The same of what `scatter` has drawn."""
    found = []
    for cloud in axes.collections:
        offsets = cloud.get_offsets()
        if type(cloud).__name__ == "PathCollection" and len(offsets):
            name = series_name(cloud, {}, "Points", len(found))
            found.append((name, offsets[:, 0], offsets[:, 1]))
    return found


def chart(axes, series, budget):
    """All of them, and both axes."""
    chart = labels_of(axes)
    chart.update(ticks_of(axes.xaxis, "x"))
    chart.update(ticks_of(axes.yaxis, "y"))
    series, elements = budget.series(series), []
    for at, (label, x, y) in enumerate(series):
        kept = budget.thinned(min(len(x), len(y)), len(series) - at)
        x, y = _coordinates(axes.xaxis, x, kept), _coordinates(axes.yaxis, y, kept)
        elements.append({"label": label, "points": [list(point) for point in zip(x, y)]})
    chart["elements"] = elements
    return chart


def _coordinates(axis, values, kept):
    # A column of pandas would be sliced by its labels. True is where a line is at 1.
    values = cells(getattr(values, "to_numpy", lambda: values)()[kept])
    values = [float(value) if isinstance(value, (bool, int)) else value for value in values]
    numbers = [value for value in values if isinstance(value, float)]
    if numbers and shows_dates(axis):
        dates = iter(dates_at(axis, numbers))
        return [next(dates) if isinstance(value, float) else value for value in values]
    return values
