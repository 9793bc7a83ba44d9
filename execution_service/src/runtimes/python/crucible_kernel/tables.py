"""A table of pandas or polars as data: its columns, with their types."""

from .cells import cell, cells
from .json_text import to_json

_MOST_ROWS = 1000
_MOST_COLUMNS = 200
_MOST_CELLS = 20_000
_MOST_CHARACTERS = 256 << 10


def of_pandas(value):
    """The JSON of a `DataFrame` or `Series` of pandas."""
    frame = value if value.ndim == 2 else value.to_frame()
    names = [None] if value.ndim == 1 and value.name is None else frame.columns.tolist()

    def columns(rows, most):
        part = frame.iloc[:rows, :most]
        return [
            _column(names[at], part.dtypes.iloc[at], part.iloc[:, at]) for at in range(part.shape[1])
        ]

    def index(rows):
        labels = frame.index
        if type(labels).__name__ == "RangeIndex" and labels.start == 0 and labels.step == 1:
            return []  # it only counts
        levels = [labels.get_level_values(at) for at in range(labels.nlevels)]
        return [_column(level.name, level.dtype, level[:rows]) for level in levels]

    return _bounded(frame.shape, columns, index)


def of_polars(value):
    """The JSON of a `DataFrame` or `Series` of polars."""
    frame = value.to_frame() if not hasattr(value, "columns") else value

    def columns(rows, most):
        part = frame[:rows]
        return [
            _column(name, part[name].dtype, part[name].to_list()) for name in frame.columns[:most]
        ]

    return _bounded(frame.shape, columns, lambda _rows: [])


def _bounded(shape, columns, index):
    most = min(shape[1], _MOST_COLUMNS)
    rows = min(shape[0], _MOST_ROWS, _MOST_CELLS // max(most, 1))
    while True:
        text = to_json({
            "shape": list(shape),
            "index": index(rows),
            "columns": columns(rows, most),
            "truncated": rows < shape[0] or most < shape[1],
        })
        if text is None or len(text) <= _MOST_CHARACTERS:
            return text
        if rows == 0:
            return None
        rows = min(rows - 1, rows * _MOST_CHARACTERS // len(text) * 9 // 10)


def _column(name, dtype, values):
    return {"name": None if name is None else str(cell(name)), "dtype": str(cell(str(dtype))), "values": cells(values)}
