"""Gives matplotlib a cache directory that it can write to and that already holds the list of fonts.

Looking at the fonts takes seconds, and a sandbox is thrown away after one run. The list was made
with the environment and lies in its share/matplotlib, which a sandbox cannot write to; matplotlib
refuses a directory that it cannot write to. So before its first import links to the list are put
into MPLCONFIGDIR, or into a directory below TMPDIR where that is not set: by itself matplotlib would
use HOME, which is the user's workspace. A process without matplotlib does none of this.
"""

import os
import sys


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


sys.meta_path.insert(0, _BeforeMatplotlib)
