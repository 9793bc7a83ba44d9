"""What is imported and tried out in the zygote, so that no child has to."""

import gc
import importlib
import os

from crucible_kernel.boot import boot
from crucible_kernel.channel import Channel
from crucible_kernel.display import display
from crucible_kernel.rehearsal import rehearse
from crucible_kernel.streams import Streams

from .pages import collapse

# Touches what is loaded or computed at first use: formatters, codecs, fonts, a figure's renderer, an
# exception's traceback. Each line stands alone, as a library may be missing.
_PROGRAMS = (
    "import asyncio, collections, datetime, json, math, random, re, statistics, textwrap, uuid",
    "print('rehearsal', 1.5, {'a': [1, None]}, sep=' ')",
    "import numpy as np; print(np.random.rand(3, 3) @ np.ones(3), np.linalg.inv(np.eye(2)))",
    "import pandas as pd; frame = pd.DataFrame({'a': [1, 2], 'b': ['x', 'y']}); print(frame, frame.describe())",
    "frame.groupby('b').sum()",
    "import matplotlib.pyplot as plt; figure, axes = plt.subplots(); axes.plot([1, 2]); axes.set_title('$x^2$'); figure",
    "plt.plot([3, 1]); plt.show(); plt.close('all')",
    "await asyncio.sleep(0)",
    "1 / 0",
    "raise SystemExit(3)",
)


def load(names, process):
    """Imports `names` and rehearses; `process` is our folder of /proc. Returns a report for the log."""
    boot()
    missing = []
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:
            missing.append(name)
    display.attach(Channel(os.open(os.devnull, os.O_RDWR)), lambda _text: None)
    rehearse(Streams(), _PROGRAMS)
    # What is alive now is never looked at by a child's collector, whose marks would copy every page.
    gc.collect()
    gc.freeze()
    collapse(process)
    loaded = [name for name in names if name not in missing]
    report = "loaded %s" % (", ".join(loaded) or "nothing")
    return report + ("; not installed: %s" % ", ".join(missing) if missing else "")
