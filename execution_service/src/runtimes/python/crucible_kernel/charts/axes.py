"""Which kind of chart a pair of axes shows."""

from . import bars, boxes, points, slices
from .labels import title_of


def chart_of_axes(axes, budget):
    """The chart in `axes`; of the type `unknown`, and empty, if it is of no kind that has data of its own."""
    kind, content = _content(axes, budget)
    chart = {"type": kind, "title": title_of(axes)}
    chart.update(content)
    return chart


def _content(axes, budget):
    if axes.name == "3d":  # whose lines are those of the screen
        return "unknown", {"elements": []}
    wedges = slices.of(axes)
    if wedges:
        return "pie", slices.chart(wedges, budget)
    found = boxes.of(axes)
    if found:
        return "box_and_whisker", boxes.chart(axes, found, budget)
    groups = bars.of(axes)
    if groups:
        return "bar", bars.chart(axes, groups, budget)
    lines, clouds = points.lines_of(axes), points.clouds_of(axes)
    if clouds:
        return "scatter", points.chart(axes, clouds + lines, budget)
    if lines:
        return "line", points.chart(axes, lines, budget)
    return "unknown", {"elements": []}
