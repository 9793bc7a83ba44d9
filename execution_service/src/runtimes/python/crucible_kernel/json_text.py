"""JSON that every parser takes (RFC 8259), whatever a program puts into it."""

import json

_encode_strictly = json.JSONEncoder(
    allow_nan=False, ensure_ascii=False, default=lambda value: _substitute(value)
).encode
_decode = json.JSONDecoder(parse_constant=lambda name: _refuse(name)).decode
_decode_leniently = json.JSONDecoder(parse_constant=lambda _name: None).decode
_isfinite_range = float("inf")
_DEEPEST = 200
_CONSTANTS = {True: "true", False: "false", None: "null"}


def to_json(value):
    """`value` as JSON: NaN and infinities are null, as JavaScript writes them. None if it cannot be: it contains
    itself, or what it consists of fails."""
    try:
        return _well_formed(_encode_strictly(value))
    except Exception:  # mostly of what JSON has no word for
        pass
    try:
        return _well_formed(_encode_strictly(_plain(value, 0, set())))
    except Exception:  # a `__str__` that raises, say
        return None


def valid_json(text):
    """`text` if it is JSON already; with null for NaN if it is what Python writes; otherwise as a string."""
    try:
        _decode(text)
        return text
    except (ValueError, RecursionError):
        pass
    try:
        return _well_formed(_encode_strictly(_decode_leniently(text)))
    except (ValueError, RecursionError):
        return _well_formed(_encode_strictly(text))


def _well_formed(text):
    # A lone surrogate is no text in UTF-8, and its escape is refused by strict readers.
    return text.encode("utf-8", "replace").decode("utf-8")


def _plain(value, depth, above):
    # `above`: the containers that this is in.
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    if isinstance(value, float):
        return float(value) if -_isfinite_range < value < _isfinite_range else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if not isinstance(value, (dict, list, tuple, set, frozenset)):
        return _plain(_substitute(value), depth + 1, above)
    if id(value) in above:
        raise ValueError("it contains itself")
    above.add(id(value))
    if isinstance(value, dict):
        found = {_key(key): _plain(item, depth + 1, above) for key, item in value.items()}
    else:
        found = [_plain(item, depth + 1, above) for item in value]
    above.discard(id(value))
    return found


def _key(key):
    if isinstance(key, str):
        return key
    if key is None or isinstance(key, bool):
        return _CONSTANTS[key]
    return str(_substitute(key))


def _substitute(value):
    if isinstance(value, type):
        return str(value)
    if type(value).__name__ in ("datetime64", "timedelta64"):  # their tolist() counts nanoseconds
        return str(value)
    # Numbers and arrays of numpy and pandas have it.
    convert = getattr(value, "tolist", None)
    if callable(convert):
        return convert()
    convert = getattr(value, "isoformat", None)
    if callable(convert):
        return convert()
    if isinstance(value, (set, frozenset)):
        return list(value)
    return str(value)


def _refuse(name):
    raise ValueError(name)
