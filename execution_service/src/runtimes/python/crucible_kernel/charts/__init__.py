"""A figure of matplotlib as data: what is drawn in it, typed.

The structure is that of E2B's charts, whose clients parse it: `type`, `title`, `elements`, and what the type adds.
A key without a value is null, and never missing. Of ours is `truncated`.
"""

from .axes import chart_of_axes
from .budget import Budget
from .labels import text_or_none

# Of a figure; a grid of more is a picture.
_MOST_AXES = 64


def chart_of(figure):
    """The chart that `figure` shows, as what JSON has words for; None if there is nothing to be said of it."""
    budget = Budget()
    axes = [one for one in figure.axes if one.get_label() != "<colorbar>"]
    full = [one for one in axes[:_MOST_AXES] if one.has_data()]
    if not full:
        return None
    title = text_or_none(getattr(getattr(figure, "_suptitle", None), "get_text", str)())
    if len(axes) == 1:
        chart = chart_of_axes(full[0], budget)
        chart["title"] = chart["title"] or title
    else:
        elements = [chart_of_axes(one, budget) for one in full]
        chart = {"type": "superchart", "title": title, "elements": elements}
    chart["truncated"] = budget.exceeded or len(axes) > _MOST_AXES
    return chart
