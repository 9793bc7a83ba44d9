"""Pies and rings."""

from ..cells import cell
from .labels import short


def of(axes):
    """The slices in `axes`."""
    return [patch for patch in axes.patches if type(patch).__name__ == "Wedge"]


def chart(wedges, budget):
    """Their angles, in degrees."""
    return {
        "elements": [
            {
                "label": short(wedge.get_label()),
                "angle": cell(round(abs(float(wedge.theta2) - float(wedge.theta1)), 6)),
                "radius": cell(wedge.r),
            }
            for wedge in budget.first(wedges)
        ]
    }
