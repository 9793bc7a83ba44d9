"""Names of what is drawn: its own, or that which the legend gives its colour."""

from .labels import short


def legend_of(axes):
    """Colour → text. Empty where a colour stands for two things."""
    legend = axes.get_legend()
    if legend is None:
        return {}
    handles = getattr(legend, "legend_handles", None) or getattr(legend, "legendHandles", [])
    names = [(_colour(handle), text.get_text()) for handle, text in zip(handles, legend.get_texts())]
    found = dict(names)
    return found if len(found) == len(names) else {}


def series_name(artist, legend, kind, number):
    """The label of a line, of a group of bars …; without one its `kind` and `number`."""
    name = str(artist.get_label())
    # What begins like that is kept out of legends: matplotlib's own names for what has none.
    if not name.startswith("_"):
        return short(name)
    found = legend.get(_colour(artist)) if legend else None
    return short(found) if found else "%s %d" % (kind, number)


def _colour(artist):
    from matplotlib.colors import to_rgb

    one = (list(getattr(artist, "patches", ())) or [artist])[0]  # bars are of one colour
    get = getattr(one, "get_color", None) or getattr(one, "get_facecolor", None)
    try:
        return to_rgb(get())
    except (TypeError, ValueError):  # none, or one for each point
        return None
