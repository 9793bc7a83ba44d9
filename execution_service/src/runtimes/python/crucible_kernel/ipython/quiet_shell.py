"""IPython's `InteractiveShell` without what it does to the process, to files and to the user's namespace.

Nothing is written to disk, and signals, hooks and prompts stay as they are.
"""

import builtins
import fnmatch
import os
import sys
import types

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from .outlets import print_page

_BACKENDS_WITHOUT_SCREEN = (None, "", "agg", "auto", "inline")


class QuietShell(InteractiveShell):
    """What a shell needs to be one, and no more."""

    # Nothing can be made below it.
    profile_dir = types.SimpleNamespace(location=os.devnull)

    def init_ipython_dir(self, _ipython_dir):
        pass

    def init_profile_dir(self, _profile_dir):
        pass

    def save_sys_module_state(self):
        pass

    def init_virtualenv(self):
        pass

    def init_sys_modules(self):
        pass

    def init_user_ns(self):
        pass

    def init_prompts(self):
        pass

    def init_logstart(self):
        pass

    def atexit_operations(self):
        pass

    def prepare_user_module(self, user_module=None, user_ns=None):
        return user_module, vars(user_module)

    def init_instance_attrs(self):
        super().init_instance_attrs()
        if hasattr(InteractiveShell, "db"):
            self.db = Store()

    def init_builtins(self):
        shown = builtins.display
        super().init_builtins()
        builtins.display = shown
        self.builtin_trap.auto_builtins = {}  # they would take `exit` away while a magic runs

    def init_hooks(self):
        super().init_hooks()
        self.set_hook("show_in_pager", print_page, 0)
        self.set_hook("editor", _no_editor, 0)

    def new_main_mod(self, *arguments):
        module = super().new_main_mod(*arguments)
        vars(module).pop("__nonzero__", None)  # of Python 2, and `%run` takes it over into the user's namespace
        return module

    def set_next_input(self, s, replace=False):
        print(s)  # `%load`, `%recall`: there is no next cell that could be filled in

    def enable_gui(self, gui=None):
        if gui is not None:
            raise UsageError("There is no screen for %s here: figures become results." % gui)

    def enable_matplotlib(self, gui=None):
        if gui not in _BACKENDS_WITHOUT_SCREEN:
            print("There is no screen for %s here: figures become results." % gui, file=sys.stderr)
        return "inline", "inline"


class Store(dict):
    """`get_ipython().db`, which `%bookmark` and `%store` write to: for as long as the kernel lives."""

    def keys(self, pattern=None):
        """As PickleShareDB has it."""
        return super().keys() if pattern is None else fnmatch.filter(self, pattern)


def _no_editor(_shell, *_arguments, **_options):
    raise UsageError("There is no editor here: use %%writefile.")
