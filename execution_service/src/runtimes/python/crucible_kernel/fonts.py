"""Characters that matplotlib's own font lacks: drawn in another one if there is any, and otherwise complained of
once and not for every character."""

import logging
import os
import sys

from . import run_warnings

# What a machine may have for East Asian writing and for pictures, best first. A colour font cannot be drawn.
FALLBACKS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans CJK TC", "Source Han Sans SC",
    "Source Han Sans", "Noto Sans SC", "Noto Sans JP", "Noto Sans KR", "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei", "Droid Sans Fallback", "AR PL UMing CN", "IPAexGothic", "IPAGothic", "NanumGothic",
    "Unifont", "Noto Emoji", "Symbola",
)
_MOST = 6
_shown = set()
# How many fonts there were, and which of them are fallbacks.
_found = [None, []]


def end_run():
    """The next run is told again."""
    _shown.clear()


def install(font_manager):
    """After the import of matplotlib's fonts."""
    kind = font_manager.FontManager
    find = getattr(kind, "_find_fonts_by_props", None)
    # Since matplotlib 3.6 a text has several fonts. The environment that the launcher makes has seen to it already, for
    # the children of a program as well (standalone/src/provision/crucible_fonts.py).
    if find is not None and find.__module__ != "crucible_fonts":

        def find_with_fallbacks(self, prop, fontext="ttf", *arguments, **options):
            found = find(self, prop, fontext, *arguments, **options)
            if fontext == "ttf" and isinstance(found, list):
                found = found + [path for path in _fallbacks(self) if path not in found]
            return found

        kind._find_fonts_by_props = find_with_fallbacks
    # A missing family is told of each time that a text is measured.
    logging.getLogger("matplotlib.font_manager").addFilter(
        lambda record: record.levelno < logging.WARNING or _is_first(record.getMessage())
    )
    run_warnings.leave_out(
        lambda text: text.startswith("Glyph ") and "missing from" in text and not _is_first("Glyph")
    )


def _is_first(text):
    if text in _shown or len(_shown) > 1000:
        return False
    _shown.add(text)
    return True


def _fallbacks(manager):
    # Looked up anew when fonts have been added, of which the list tells by its length.
    known = len(manager.ttflist)
    if _found[0] != known:
        best = {}
        for entry in manager.ttflist:
            if entry.name in FALLBACKS and entry.style == "normal" and os.path.exists(entry.fname):
                if entry.name not in best or _boldness(entry) < _boldness(best[entry.name]):
                    best[entry.name] = entry
        _found[:] = known, [_path_of(best[name]) for name in FALLBACKS if name in best][:_MOST]
    return _found[1]


def _boldness(entry):
    return abs(entry.weight - 400) if isinstance(entry.weight, int) else 0


def _path_of(entry):
    # matplotlib 3.11 has the number of a font in its file beside the name.
    kind = getattr(sys.modules.get("matplotlib.font_manager"), "FontPath", None)
    return kind(entry.fname, entry.index) if kind is not None else entry.fname
