"""Modules of the workspace between the runs of a session: one that was rewritten is imported anew."""

import importlib.machinery
import os
import sys

from .user_text import IMPORTS

_HOME = os.environ.get("HOME", os.getcwd()).rstrip("/") + "/"
_stat = os.stat
_loaded = {}  # path of a source → what it was when it was read


def install():
    """At boot: notes what each module of the workspace was read from. No byte code is written: whether it is
    stale is told by a second and a size, and programs rewrite a file within one."""
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader
    path_stats = loader.path_stats

    def noting_path_stats(self, path):
        found = path_stats(self, path)
        if path.startswith(_HOME):
            _loaded[path] = _signature(path)
        return found

    loader.path_stats = noting_path_stats


def forget_rewritten(code):
    """Before a run: a module of the workspace whose source is another one now is not the one to import.

    What holds on to the old one keeps it, and a module whose file stands as it was keeps its state.
    """
    if not any(word in code for word in IMPORTS):
        return
    for path, finder in list(sys.path_importer_cache.items()):
        # A file made within the same tick of the clock as the last look at its folder.
        if finder is not None and (path + "/").startswith(_HOME) and hasattr(finder, "invalidate_caches"):
            finder.invalidate_caches()
    if "reload" in code:  # it sees to that itself
        return
    stale = {path for path, signature in _loaded.items() if _signature(path) not in (None, signature)}
    for path in stale:
        del _loaded[path]
    if stale:
        for name, module in list(sys.modules.items()):
            if getattr(module, "__file__", None) in stale:
                _forget(name)


def _forget(name):
    del sys.modules[name]
    package, _, last = name.rpartition(".")
    if package in sys.modules:  # `from package import module` would take it from there
        vars(sys.modules[package]).pop(last, None)


def _signature(path):
    try:
        status = _stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
