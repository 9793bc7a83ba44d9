"""A value as a MIME bundle: MIME type → text, with base64 for binary and JSON text for structured data.

The `_repr_*_` protocol is read directly, not by way of IPython's DisplayFormatter: without a shell
nothing can be registered there, and importing it costs 0.3 s on the first rich value of a run.
"""

import binascii
import io
import sys

from . import data_forms
from .json_text import to_json, valid_json
from .last_figure import last_figure
from .tracebacks import render, strip

BUNDLE_BYTES = 8 << 20
TEXT_CHARACTERS = 1 << 20

_PLAIN = frozenset(
    (bool, bytearray, bytes, complex, dict, float, frozenset, int, list, range, set, str, tuple, type(None))
)
_METHODS = (
    ("text/html", "_repr_html_"),
    ("text/markdown", "_repr_markdown_"),
    ("text/latex", "_repr_latex_"),
    ("image/svg+xml", "_repr_svg_"),
    ("image/png", "_repr_png_"),
    ("image/jpeg", "_repr_jpeg_"),
    ("application/pdf", "_repr_pdf_"),
    ("application/json", "_repr_json_"),
    ("application/javascript", "_repr_javascript_"),
)
_BytesIO = io.BytesIO
_to_base64 = binascii.b2a_base64


def bundle_of(value, write_error):
    """Represents `value`. What its `__repr__` raises is raised; a rich form that fails is printed
    by `write_error` and left out, as in a notebook."""
    text = repr(value)
    if type(value) in _PLAIN:
        return bounded({"text/plain": text})
    found = {}
    if not isinstance(value, type):
        for mime, data in _rich_forms(value, write_error):
            found.setdefault(mime, data)
        for mime, data in data_forms.of(value):
            found.setdefault(mime, data)
    found.setdefault("text/plain", text)
    return bounded(found)


def bounded(bundle):
    """Makes every form a text and keeps the whole under 8 MiB, saying in text/plain what was dropped."""
    bundle = {mime: data for mime, data in bundle.items() if isinstance(mime, str) and data is not None}
    texts = {mime: _as_text(mime, data) for mime, data in bundle.items()}
    texts = {mime: text for mime, text in texts.items() if text is not None}
    plain = texts.get("text/plain", "")
    if len(plain) > TEXT_CHARACTERS:
        plain = "%s… (%d characters in all)" % (plain[:TEXT_CHARACTERS], len(plain))
        texts["text/plain"] = plain
    sizes = {mime: len(text.encode("utf-8", "replace")) for mime, text in texts.items()}
    while sum(sizes.values()) > BUNDLE_BYTES:
        largest = max((mime for mime in sizes if mime != "text/plain"), key=sizes.get)
        del texts[largest]
        plain += "\n(%s left out: %d bytes are too many for a result)" % (largest, sizes.pop(largest))
        texts["text/plain"] = plain
    return texts


def _rich_forms(value, write_error):
    # matplotlib has no protocol of its own; a figure exists only where it has been imported.
    if data_forms.is_a(value, "matplotlib.figure", "Figure"):
        yield "image/png", _call(_png_of, value, write_error)
    bundle = _call(method_of(value, "_repr_mimebundle_"), value, write_error, include=None, exclude=None)
    if isinstance(bundle, dict):
        yield from bundle.items()
    for mime, name in _METHODS:
        data = _call(method_of(value, name), value, write_error)
        if data is not None:
            yield mime, data


def _png_of(figure):
    """Renders one figure, cropped to its content as notebooks do, and closes it, also if it cannot be drawn."""
    target = _BytesIO()
    try:
        figure.savefig(target, format="png", bbox_inches="tight")
    finally:
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is not None:  # a figure can be made without pyplot, which then does not know it
            last_figure.shown(figure)
            pyplot.close(figure)
    return target.getvalue()


def method_of(value, name):
    """The method of that name, or None. Looked up on the class: an object whose `__getattr__` answers every name
    has no rich form."""
    try:
        return getattr(type(value), name, None)
    except Exception:  # raised by the `__getattr__` of its class
        return None


def _call(method, value, write_error, **arguments):
    if not callable(method):
        return None
    try:
        data = method(value, **arguments)
    except Exception as error:
        strip(error)
        write_error(render(error))
        return None
    # A pair is (data, metadata).
    return data[0] if isinstance(data, tuple) and len(data) == 2 else data


def _as_text(mime, data):
    if isinstance(data, str):
        return valid_json(data) if mime == "application/json" or mime.endswith("+json") else data
    if isinstance(data, (bytes, bytearray)):
        return _to_base64(data, newline=False).decode("ascii")
    return to_json(data)
