"""Runs an action right after a module has been imported for the first time."""

import sys

_actions = {}
_modules = sys.modules


def on_import(name, action):
    """Calls `action(module)` when `name` is imported, or now if it already is."""
    if name in _modules:
        action(_modules[name])
    else:
        _actions[name] = action


class _Finder:
    """Finds nothing itself: asks the other finders and lets the action follow their loader."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name not in _actions:
            return None
        for finder in sys.meta_path:
            if finder is _Finder or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    _wrap(spec.loader, _actions.pop(name))
                return spec
        return None


def _wrap(loader, action):
    execute = loader.exec_module

    def exec_module(module):
        execute(module)
        action(module)

    loader.exec_module = exec_module


def install():
    """Puts the finder first, once per interpreter."""
    sys.meta_path.insert(0, _Finder)
