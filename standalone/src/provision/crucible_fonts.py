"""Fonts for matplotlib: the list of them, made beforehand, and one that has the glyphs which the usual one lacks.

Looking at the fonts takes seconds, and a sandbox is thrown away after one run. The list was made
with the environment and lies in its share/matplotlib, which a sandbox cannot write to; matplotlib
refuses a directory that it cannot write to. So before its first import links to the list are put
into MPLCONFIGDIR, or into a directory below TMPDIR where that is not set: by itself matplotlib would
use HOME, which is the user's workspace.

A glyph that no font of the figure has is taken from a font for Chinese, Japanese and Korean, if one is in the list:
that of the environment, or one of the machine's. It is the last in the row whatever a program, a style or seaborn
says of families, which rcParams could not bring about. A process without matplotlib does none of this.
"""

import os
import sys

# Best first; what one calls itself, and not its file.
_EVERY_SCRIPT = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Source Han Sans", "Source Han Sans SC", "Noto Sans SC", "Noto Sans JP",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback", "IPAexGothic", "IPAGothic",
)


class _BeforeMatplotlib:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name == "matplotlib":
            sys.meta_path.remove(cls)
            cls.seed()
        return None

    @staticmethod
    def seed():
        try:
            made = os.path.join(sys.prefix, "share", "matplotlib")
            below = os.path.join(os.environ.get("TMPDIR", "/tmp"), "matplotlib")
            cache = os.environ.setdefault("MPLCONFIGDIR", below)
            os.makedirs(cache, mode=0o700, exist_ok=True)
            for name in os.listdir(made):
                if name.startswith("fontlist-") and not os.path.lexists(os.path.join(cache, name)):
                    os.symlink(os.path.join(made, name), os.path.join(cache, name))
        except OSError:
            pass  # A full disk, say: matplotlib then looks at the fonts itself, and is only slower.


class _AfterFontManager:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name != "matplotlib.font_manager":
            return None
        sys.meta_path.remove(cls)
        import importlib.machinery

        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                _fall_back(module)

            spec.loader.exec_module = exec_module
        return spec


def _fall_back(font_manager):
    manager = font_manager.FontManager
    # matplotlib 3.6 and later ask it for all fonts of a text; without it there is nothing to be added to.
    find = getattr(manager, "_find_fonts_by_props", None)
    known = {entry.name: entry.fname for entry in reversed(font_manager.fontManager.ttflist)}
    last = next((known[name] for name in _EVERY_SCRIPT if name in known), None)
    if find is None or last is None:
        return

    def _find_fonts_by_props(self, *args, **kwargs):
        found = find(self, *args, **kwargs)
        return found if last in found else [*found, last]

    manager._find_fonts_by_props = _find_fonts_by_props


def make_list():
    """Looks at the fonts of the machine and of the packages, and writes matplotlib's list of them."""
    import importlib.util

    if importlib.util.find_spec("matplotlib") is None:
        return
    import matplotlib
    from matplotlib import font_manager

    listed = font_manager.fontManager
    for directory in sys.path:
        if os.path.basename(directory) != "site-packages":
            continue
        for package in sorted(os.listdir(directory)):
            if package.startswith("noto_cjk_") and os.path.isdir(os.path.join(directory, package)):
                for font in font_manager.findSystemFonts([os.path.join(directory, package)]):
                    listed.addfont(font)
    name = "fontlist-v%s.json" % font_manager.FontManager.__version__
    font_manager.json_dump(listed, os.path.join(matplotlib.get_cachedir(), name))


sys.meta_path[:0] = [_BeforeMatplotlib, _AfterFontManager]
