"""What is imported and tried out in the zygote, so that no child has to."""

import gc
import importlib
import os
import sys

from crucible_kernel.boot import boot
from crucible_kernel.channel import Channel
from crucible_kernel.display import display
from crucible_kernel.warmup import warm_up
from crucible_kernel.streams import Streams

from .huge_pages import collapse

# Touches what is loaded or computed at first use: formatters, codecs, an exception's traceback.
_PROGRAMS = (
    "import asyncio, collections, datetime, json, math, random, re, statistics, textwrap, uuid",
    "print('warm-up', 1.5, {'a': [1, None]}, sep=' ')",
    "await asyncio.sleep(0)",
    "1 / 0",
    "raise SystemExit(3)",
)
# The same of a library: fonts, a figure's renderer, the text and the HTML of a table.
_OF_LIBRARY = {
    "numpy": "import numpy as np; print(np.random.rand(3, 3) @ np.ones(3), np.linalg.inv(np.eye(2)))",
    "pandas": "import pandas as pd; t = pd.DataFrame({'a': [1, 2], 'b': ['x', 'y']}); print(t.describe()); t.groupby('b').sum()",
    "matplotlib.pyplot": "import matplotlib.pyplot as plt; plt.plot([3, 1]); plt.title('$x^2$'); plt.show(); plt.close('all')",
}


def load(names, process):
    """Imports `names` and runs the warm-up programs. Returns a report for the log.

    `process` is a descriptor of our folder in /proc."""
    boot()
    missing = []
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:
            missing.append(name)
    if "IPython" in sys.modules:
        importlib.import_module("crucible_kernel.ipython.kernel_shell")
    nobody = Channel(os.open(os.devnull, os.O_RDONLY), os.open(os.devnull, os.O_WRONLY))
    display.attach(nobody, lambda _text: None)
    loaded = [name for name in names if name not in missing]
    warm_up(Streams(), (*_PROGRAMS, *filter(None, map(_OF_LIBRARY.get, loaded))))
    # What is alive now is never looked at by a child's collector, whose marks would copy every page.
    gc.collect()
    gc.freeze()
    collapse(process)
    report = "loaded %s" % (", ".join(loaded) or "nothing")
    return report + ("; not installed: %s" % ", ".join(missing) if missing else "")
