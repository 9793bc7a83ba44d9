"""Single values of charts and tables, as JSON has words for them."""

import datetime
import math

# Of a text in a cell.
_LONGEST = 1000
# An integer that is longer is no number that anybody reads, and takes long to write.
_MOST_BITS = 1024


def cell(value):
    """`value` as null, a boolean, a finite number or a text, which ends with … if it is too long."""
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind is int:
        return value if value.bit_length() <= _MOST_BITS else "an integer of %d bits" % value.bit_length()
    if kind is float:
        return value if math.isfinite(value) else None
    if kind is str:
        return value if len(value) <= _LONGEST else value[:_LONGEST] + "…"
    if kind.__name__ in ("NAType", "NaTType", "MaskedConstant"):
        return None
    if kind.__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        if value.dtype.kind in "mM":
            return _times(value.reshape(1))[0]
        if value.dtype.kind in "fiubU" and value.dtype.itemsize != 16:  # of more digits it stays what it is
            return cell(value.item())
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return cell(str(value) + "")  # "": of a subclass of str


def cells(values):
    """A list, a column or an array of one dimension, as a list of such."""
    values = getattr(values, "to_numpy", lambda: values)()
    dtype = getattr(values, "dtype", None)
    if dtype is not None and dtype.kind in "mM":
        return _times(values)
    if dtype is not None and dtype.kind in "fiub":
        values = values.tolist()
        return [cell(value) for value in values] if dtype.kind == "f" else values
    return [cell(value) for value in values]


def _times(values):
    # Without the digits that say nothing.
    for unit in ("s", "ms", "us", "ns"):
        rounded = values.astype("%s8[%s]" % (values.dtype.kind, unit))
        if ((rounded == values) | (values != values)).all():
            break
    return [None if text == "NaT" else text for text in rounded.astype(str).tolist()]
