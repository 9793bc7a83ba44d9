"""Memory kept back for telling how a run ended, when the user's code has left none."""

import mmap

# Traceback and answer of an ordinary error fit. Apart from malloc's heap: giving it back makes room
# under RLIMIT_AS and RLIMIT_DATA at once. It is never touched, so it costs no page.
_BYTES = 2 << 20
_FLAGS = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
_map = mmap.mmap


class MemoryReserve:
    """Held while the user's code runs."""

    def __init__(self):
        self._block = None

    def hold(self):
        """Before the user's code. A session that has no memory left goes on without."""
        if self._block is None:
            try:
                self._block = _map(-1, _BYTES, flags=_FLAGS)
            except (MemoryError, OSError):
                pass

    def release(self):
        """Before anything is said about a failed run."""
        if self._block is not None:
            self._block.close()
            self._block = None
