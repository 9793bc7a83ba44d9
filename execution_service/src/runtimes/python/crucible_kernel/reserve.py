"""Memory kept back for telling how a run ended, when the user's code has left none."""

# Traceback and answer of an ordinary error fit. More than malloc keeps in its heap: giving it back
# makes room under RLIMIT_AS and RLIMIT_DATA at once. The zeros are never touched, so it costs no page.
_BYTES = 2 << 20


class Reserve:
    """Held while the user's code runs."""

    def __init__(self):
        self._block = None

    def hold(self):
        """Before the user's code. A session that has no memory left goes on without."""
        if self._block is None:
            try:
                self._block = bytes(_BYTES)
            except MemoryError:
                pass

    def release(self):
        """Before anything is said about a failed run."""
        self._block = None
