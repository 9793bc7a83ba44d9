"""What is done once per interpreter, before there is a worker to talk to."""

import os
import sys

from . import integrations
from .interrupts import interrupts


def boot():
    """Prepares the interpreter. A zygote calls this once, its children call `serve`."""
    _prefer_for_oom_kill()
    # As for `python3 main.py`: modules in the workspace can be imported. Isolated mode left it out.
    sys.path.insert(0, os.getcwd())
    # Figures are drawn into memory; plotly hands its figures to display() instead of a browser.
    os.environ.setdefault("MPLBACKEND", "agg")
    os.environ.setdefault("PLOTLY_RENDERER", "plotly_mimetype")
    integrations.install()
    interrupts.install()


def _prefer_for_oom_kill():
    """When memory runs out, the user's programs go first, and not the init of the sandbox."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
    except OSError:
        pass  # A root without /proc. A zygote has it done before.
