"""What is drawn and tabulated, as data beside the picture and the text: charts, tables, and the specification of
an altair chart.

Nothing of it may cost a run anything else: what fails, takes too long or has no room is left out.
"""

import sys

CHART = "application/vnd.crucible.chart+json"
TABLE = "application/vnd.crucible.table+json"
# For each value. A chart of 5,000 points takes some milliseconds.
_SECONDS = 2
# Of a run: the results of a run have 16 MiB, and pictures come first.
_RUN_CHARACTERS = 2 << 20


class _Room:
    """What the data of this run may still take."""

    left = _RUN_CHARACTERS


def begin():
    """At the start of a run."""
    _Room.left = _RUN_CHARACTERS


def is_a(value, module, name):
    """Whether `value` is made of this class of a library, if that is loaded; whatever it says of itself."""
    try:
        kind = getattr(sys.modules.get(module), name, None)
        return isinstance(kind, type) and issubclass(type(value), kind)
    except Exception:  # a module of that name that is the user's
        return False


def of(value):
    """MIME type → JSON."""
    for module, name, mime, form in _FORMS:
        if _Room.left > 0 and is_a(value, module, name):
            from .deadline import within

            text = within(_SECONDS, form, value)
            if type(text) is str and len(text) <= _Room.left:
                _Room.left -= len(text)
                yield mime() if callable(mime) else mime, text
            return


def _chart(figure):
    from .charts import chart_of
    from .json_text import to_json

    chart = chart_of(figure)
    return None if chart is None else to_json(chart)


def _pandas(frame):
    from .tables import of_pandas

    return of_pandas(frame)


def _polars(frame):
    from .tables import of_polars

    return of_polars(frame)


def _altair(chart):
    from .json_text import to_json

    return to_json(chart.to_dict())


def _altair_mime():
    version = str(getattr(sys.modules.get("altair"), "SCHEMA_VERSION", "v5"))
    return "application/vnd.vegalite.%s+json" % version.split(".")[0]


_FORMS = (
    ("matplotlib.figure", "Figure", CHART, _chart),
    ("pandas", "DataFrame", TABLE, _pandas),
    ("pandas", "Series", TABLE, _pandas),
    ("polars", "DataFrame", TABLE, _polars),
    ("polars", "Series", TABLE, _polars),
    ("altair", "TopLevelMixin", _altair_mime, _altair),
)
