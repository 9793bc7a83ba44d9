"""What is written on and around a pair of axes."""

import re

from ..cells import cell

_UNIT = re.compile(r"\s\(([^()]*)\)|\[([^\[\]]*)\]")
_LONGEST = 500
_MOST_TICKS = 200


def short(text):
    """`text`, without more of it than a label has."""
    text = str(text)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def text_or_none(text):
    """A label; None where there is none."""
    return short(text) if text else None


def title_of(axes):
    """The title of `axes`, wherever it stands."""
    found = (axes.get_title(loc=place) for place in ("center", "left", "right"))
    return text_or_none(next(filter(None, found), ""))


def labels_of(axes, swapped=False):
    """Labels and units of x and y; `swapped` for what is drawn sideways, whose categories are x nevertheless."""
    x, y = text_or_none(axes.get_xlabel()), text_or_none(axes.get_ylabel())
    if swapped:
        x, y = y, x
    return {"x_label": x, "y_label": y, "x_unit": _unit(x), "y_unit": _unit(y)}


def ticks_of(axis, name):
    """Ticks, their labels and the scale of one axis of points."""
    ticks = list(axis.get_ticklocs())[:_MOST_TICKS]
    texts = [short(label.get_text()) for label in axis.get_ticklabels()[:_MOST_TICKS]]
    scale = axis.get_scale()
    if shows_dates(axis):
        scale, ticks = "datetime", dates_at(axis, ticks)
    else:
        ticks = [cell(float(tick)) for tick in ticks]
        if scale == "linear" and _are_names(ticks, texts):
            scale = "categorical"
    return {name + "_ticks": ticks, name + "_tick_labels": texts, name + "_scale": scale}


def named_ticks(axis):
    """Position and text of the ticks that have been given one, such as the names of bars."""
    formatter = type(axis.get_major_formatter()).__name__
    fixed = type(axis.get_major_locator()).__name__ == "FixedLocator"
    # `xticks(places, names)` makes a function of the names; any other function only writes the numbers in its way.
    if formatter not in ("StrCategoryFormatter", "FixedFormatter") and not (fixed and formatter == "FuncFormatter"):
        return []
    pairs = zip(axis.get_ticklocs(), axis.get_ticklabels())
    return [(float(at), short(label.get_text())) for at, label in pairs][: 10 * _MOST_TICKS]


def name_at(axis, names, place):
    """What stands at `place` of `axis`: the name that is nearest, a date, or the number."""
    if names:
        # Bars of a group stand beside their tick.
        apart = [abs(right - left) for (left, _), (right, _) in zip(names, names[1:])]
        nearest = min(names, key=lambda pair: abs(pair[0] - place))
        if abs(nearest[0] - place) <= min(apart, default=1) / 2 and nearest[1]:
            return nearest[1]
    return dates_at(axis, [place])[0] if shows_dates(axis) else "%.10g" % place


def shows_dates(axis):
    """Whether numbers on `axis` are times."""
    get = getattr(axis, "get_converter", None)  # since matplotlib 3.10
    converter = get() if get is not None else getattr(axis, "converter", None)
    names = [kind.__name__ for kind in type(converter).__mro__]
    return "_SwitchableDateConverter" in names or "DateConverter" in names


def dates_at(axis, places):
    """The dates that are drawn there, as ISO 8601 says them."""
    frequency = getattr(axis, "freq", None)  # pandas counts periods since 1970
    if frequency is not None:
        from pandas import Period

        return [str(Period(ordinal=int(place), freq=frequency)) for place in places]
    from matplotlib.dates import num2date

    return [date.isoformat() for date in num2date(places)]


def _are_names(ticks, texts):
    # 0, 1, 2 … with other words below.
    pairs = list(zip(ticks, texts))
    return bool(pairs) and all(tick == at and str(at) != text for at, (tick, text) in enumerate(pairs))


def _unit(label):
    found = _UNIT.search(label or "")
    return (found.group(1) or found.group(2)) if found else None
