"""JSON that every parser takes (RFC 8259), whatever a program puts into it."""

import json

_encode_strictly = json.JSONEncoder(allow_nan=False, default=lambda value: _substitute(value)).encode
_decode = json.JSONDecoder(parse_constant=lambda name: _refuse(name)).decode
_isfinite_range = float("inf")
_DEEPEST = 200


def to_json(value):
    """`value` as JSON: NaN and infinities are null, as JavaScript writes them. None if it contains itself."""
    try:
        return _encode_strictly(value)
    except (ValueError, TypeError):
        pass
    try:
        return _encode_strictly(_plain(value, 0))
    except (ValueError, TypeError, RecursionError):
        return None


def valid_json(text):
    """`text` if it is JSON already, otherwise as a string of JSON."""
    try:
        _decode(text)
        return text
    except (ValueError, RecursionError):
        return _encode_strictly(text)


def _plain(value, depth):
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    if isinstance(value, float):
        return value if -_isfinite_range < value < _isfinite_range else None
    if isinstance(value, dict):
        return {_key(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1) for item in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return _plain(_substitute(value), depth + 1)


def _key(key):
    return key if isinstance(key, str) else str(key)


def _substitute(value):
    # Numbers and arrays of numpy and pandas have it.
    convert = getattr(value, "tolist", None)
    if callable(convert) and not isinstance(value, type):
        return convert()
    if isinstance(value, (set, frozenset)):
        return list(value)
    return str(value)


def _refuse(name):
    raise ValueError(name)
