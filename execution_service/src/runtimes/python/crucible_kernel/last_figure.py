"""The figure that was shown last: `plt.savefig(…)` after `plt.show()` means that one, and not a new one."""


class LastFigure:
    """Held until another is shown, or the run ends."""

    def __init__(self):
        self._figure = None

    def shown(self, figure):
        """It has become a result, and pyplot no longer knows it."""
        self._figure = figure

    def forget(self):
        """At the end of a run."""
        self._figure = None

    def get(self, pyplot):
        """The figure, if there is none that pyplot calls the current one."""
        return None if pyplot.get_fignums() else self._figure


last_figure = LastFigure()
